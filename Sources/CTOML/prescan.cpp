#include "prescan.hpp"

namespace ctoml {

/// The length of the UTF-8 sequence at `i`, or 0 where it is malformed.
static size_t sequence(std::string_view text, size_t i) {
    auto byte = [&](size_t k) { return k < text.size() ? static_cast<uint8_t>(text[k]) : uint8_t{0}; };
    auto tail = [&](size_t k, uint8_t low = 0x80, uint8_t high = 0xBF) { return byte(k) >= low && byte(k) <= high; };
    const uint8_t b = byte(i);
    if (b < 0x80) return 1;
    if (b >= 0xC2 && b <= 0xDF) return tail(i + 1) ? 2 : 0;
    if (b >= 0xE0 && b <= 0xEF)
        return tail(i + 1, b == 0xE0 ? 0xA0 : 0x80, b == 0xED ? 0x9F : 0xBF) && tail(i + 2) ? 3 : 0;
    if (b >= 0xF0 && b <= 0xF4)
        return tail(i + 1, b == 0xF0 ? 0x90 : 0x80, b == 0xF4 ? 0x8F : 0xBF) && tail(i + 2) && tail(i + 3) ? 4 : 0;
    return 0;
}

fault check_encoding(std::string_view text) {
    for (size_t i = 0; i < text.size();) {
        if (text[i] == 0) return {"a NUL byte", i};
        const size_t length = sequence(text, i);
        if (length == 0) return {"not valid UTF-8", i};
        i += length;
    }
    return {};
}

/// The offset after the string that opens at `i`; the end of the text where the string is not closed, as toml++ stops
/// there as well and says so.
static size_t behind_string(std::string_view text, size_t i) {
    const char quote = text[i];
    const bool multiline = text.substr(i, 3) == std::string_view(quote == '"' ? "\"\"\"" : "'''");
    const size_t width = multiline ? 3 : 1;
    for (i += width; i < text.size(); i++) {
        if (quote == '"' && text[i] == '\\') {
            i++;
        } else if (!multiline && text[i] == '\n') {
            return text.size();
        } else if (text[i] == quote && !multiline) {
            return i + 1;
        } else if (text[i] == quote && i + 2 < text.size() && text[i + 1] == quote && text[i + 2] == quote) {
            i += 3;
            // Up to two quotes may stand directly before the closing three.
            for (int extra = 0; extra < 2 && i < text.size() && text[i] == quote; extra++) i++;
            return i;
        }
    }
    return i;
}

fault check_structure(std::string_view text, size_t limit) {
    size_t dots = 0;
    for (size_t i = 0; i < text.size();) {
        switch (text[i]) {
        case '"':
        case '\'':
            i = behind_string(text, i);
            continue;
        case '#':
            while (i < text.size() && text[i] != '\n') i++;
            continue;
        case '.':
            if (++dots >= limit) return {"a key of too many parts", i};
            break;
        case '\n':
        case '=':
        case ',':
        case '{':
        case '[':
            dots = 0;
            break;
        default:
            if (static_cast<unsigned char>(text[i]) >= 0x80)
                return {"a character that TOML allows only in strings and comments", i};
            break;
        }
        i++;
    }
    return {};
}

} // namespace ctoml
