// What must hold of a text before toml++ sees it.
#ifndef CTOML_PRESCAN_HPP
#define CTOML_PRESCAN_HPP

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace ctoml {

/// A fault and the offset of the byte that it stands on; `message` is null where there is none.
struct fault {
    const char *message = nullptr;
    size_t offset = 0;
};

/// NUL, malformed UTF-8 (Unicode 15, table 3-7: no overlong forms, no surrogates).
fault check_encoding(std::string_view text);

/// What toml++ 3.3 does not survive outside of strings and comments. It bounds the nesting of values but not of keys, and
/// takes its tables down recursively: a key of 30,000 parts overflows the stack. And it takes for white space what TOML
/// allows only within strings and comments, such as U+00A0.
fault check_structure(std::string_view text, size_t limit);

} // namespace ctoml
#endif
