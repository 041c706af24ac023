#include "ctoml.h"
#include "prescan.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#define TOML_HEADER_ONLY 1
#define TOML_EXCEPTIONS 0
#define TOML_ENABLE_FORMATTERS 0
// Nothing in a spec is deep; tables are walked and taken down recursively.
#define TOML_MAX_NESTED_VALUES 64
// toml++ 3.3 asserts that a key follows `[`, and with NDEBUG lets the compiler assume it, although the text may say
// otherwise ("[`"); where the assertion is nothing, the check that follows it reports the error.
#undef NDEBUG
#define TOML_ASSERT(expression) static_cast<void>(0)
#include <toml++/toml.h>

namespace {

constexpr size_t max_key_parts = 32;
constexpr size_t max_depth = 64;

/// Turns toml++'s columns, which count code points, into columns that count bytes.
class columns {
    std::string_view text;
    std::vector<size_t> starts;  // of each line; empty for a text that is all ASCII, where both are the same
    // Where the last answer was found: the questions come in the order of the text, and a line may be a megabyte long.
    mutable uint32_t last_line = 0, last_column = 1;
    mutable size_t last_offset = 0;

public:
    explicit columns(std::string_view text) : text(text) {
        if (std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; })) return;
        starts.push_back(0);
        for (size_t i = 0; i < text.size(); i++)
            if (text[i] == '\n') starts.push_back(i + 1);
    }

    uint32_t bytes(toml::source_position at) const {
        if (at.line == 0 || at.line > starts.size()) return at.column;
        const size_t start = starts[at.line - 1];
        if (at.line != last_line || at.column < last_column) {
            last_line = at.line;
            last_column = 1;
            last_offset = start;
        }
        for (; last_column < at.column && last_offset < text.size() && text[last_offset] != '\n'; last_column++) {
            last_offset++;
            while (last_offset < text.size() && (static_cast<unsigned char>(text[last_offset]) & 0xC0) == 0x80)
                last_offset++;
        }
        return static_cast<uint32_t>(last_offset - start) + 1;
    }
};

bool earlier(toml::source_position a, toml::source_position b) {
    return a.line != b.line ? a.line < b.line : a.column < b.column;
}

} // namespace

struct ctoml_document {
    toml::table root;
    std::vector<ctoml_node> nodes;
    std::string error;
    uint32_t error_line = 0, error_column = 0;

    void fail(std::string message, uint32_t line, uint32_t column) {
        error = std::move(message);
        error_line = line;
        error_column = column;
        nodes.clear();
    }

    void fail(ctoml::fault fault, std::string_view text) {
        const auto before = text.substr(0, fault.offset);
        const auto newline = before.rfind('\n');
        const auto start = newline == std::string_view::npos ? 0 : newline + 1;
        const auto lines = std::count(before.begin(), before.end(), '\n');
        fail(fault.message, static_cast<uint32_t>(lines) + 1, static_cast<uint32_t>(fault.offset - start) + 1);
    }

    bool add(const toml::node &value, const toml::key *key, const columns &columns, size_t depth) {
        ctoml_node node{};
        if (key) {
            node.key = key->data();
            node.key_length = key->length();
            node.key_line = key->source().begin.line;
            node.key_column = columns.bytes(key->source().begin);
        }
        const auto at = value.source().begin;
        node.line = at.line ? at.line : 1;
        node.column = at.column ? columns.bytes(at) : 1;
        if (depth > max_depth) {
            fail("nested too deeply", node.line, node.column);
            return false;
        }
        if (const auto *table = value.as_table()) return add(*table, node, columns, depth);
        if (const auto *array = value.as_array()) {
            node.kind = ctoml_array;
            node.children = array->size();
            nodes.push_back(node);
            for (const auto &element : *array)
                if (!add(element, nullptr, columns, depth + 1)) return false;
            return true;
        }
        add_scalar(value, node);
        return true;
    }

    /// toml++ keeps a table in the order of its keys' bytes; people read a file in the order they wrote it.
    bool add(const toml::table &table, ctoml_node node, const columns &columns, size_t depth) {
        node.kind = ctoml_table;
        node.children = table.size();
        nodes.push_back(node);
        std::vector<std::pair<const toml::key *, const toml::node *>> entries;
        entries.reserve(table.size());
        for (const auto &[key, value] : table) entries.emplace_back(&key, &value);
        std::sort(entries.begin(), entries.end(), [](const auto &a, const auto &b) {
            return earlier(a.first->source().begin, b.first->source().begin);
        });
        for (const auto &[key, value] : entries)
            if (!add(*value, key, columns, depth + 1)) return false;
        return true;
    }

    void add_scalar(const toml::node &value, ctoml_node &node) {
        if (const auto *text = value.as_string()) {
            node.kind = ctoml_string;
            node.text = text->get().data();
            node.text_length = text->get().size();
        } else if (const auto *integer = value.as_integer()) {
            node.kind = ctoml_integer;
            node.integer = integer->get();
        } else if (const auto *real = value.as_floating_point()) {
            node.kind = ctoml_real;
            node.real = real->get();
        } else if (const auto *boolean = value.as_boolean()) {
            node.kind = ctoml_boolean;
            node.integer = boolean->get();
        } else {
            node.kind = ctoml_date;
        }
        nodes.push_back(node);
    }
};

/// toml++'s words, without the opening that every one of them shares.
static std::string reworded(std::string_view message) {
    constexpr std::string_view opening = "Error while parsing ";
    if (message.substr(0, opening.size()) == opening) message.remove_prefix(opening.size());
    std::string words(message);
    if (!words.empty() && words[0] >= 'A' && words[0] <= 'Z') words[0] = static_cast<char>(words[0] + 32);
    return words;
}

ctoml_document *ctoml_parse(const char *bytes, size_t length) {
    auto *document = new ctoml_document;
    std::string_view text(bytes ? bytes : "", bytes ? length : 0);
    if (text.substr(0, 3) == "\xEF\xBB\xBF") text.remove_prefix(3);
    if (const auto fault = ctoml::check_encoding(text); fault.message) {
        document->fail(fault, text);
        return document;
    }
    if (const auto fault = ctoml::check_structure(text, max_key_parts); fault.message) {
        document->fail(fault, text);
        return document;
    }
    toml::parse_result result = toml::parse(text);
    const columns columns(text);
    if (!result) {
        const auto &error = result.error();
        const auto at = error.source().begin;
        document->fail(reworded(error.description()), at.line ? at.line : 1, at.column ? columns.bytes(at) : 1);
        return document;
    }
    document->root = std::move(result).table();
    document->add(document->root, nullptr, columns, 0);
    return document;
}

void ctoml_free(ctoml_document *document) { delete document; }

const char *ctoml_error(const ctoml_document *document, uint32_t *line, uint32_t *column) {
    if (document->error_line == 0) return nullptr;
    *line = document->error_line;
    *column = document->error_column;
    return document->error.c_str();
}

const ctoml_node *ctoml_nodes(const ctoml_document *document, size_t *count) {
    *count = document->nodes.size();
    return document->nodes.data();
}
