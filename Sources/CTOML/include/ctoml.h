// A thin C face on toml++: a text as a flat list of positioned values.
#ifndef CTOML_H
#define CTOML_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/// What a value is. Enumerated as plain numbers: the four date types of TOML are one here, as no spec uses them.
enum {
    ctoml_table = 0,
    ctoml_array = 1,
    ctoml_string = 2,
    ctoml_integer = 3,
    ctoml_real = 4,
    ctoml_boolean = 5,
    ctoml_date = 6,
};

/// One value. The values of a document stand in one list, each followed by its children, so that a reader needs no
/// call per value. Lines and columns count from 1, columns in bytes. Texts are not terminated by NUL.
typedef struct {
    int32_t kind;
    uint32_t line, column;
    uint32_t key_line, key_column;
    const char *_Nullable key;   ///< the key in the parent table; null for an array's element and for the root
    size_t key_length;
    const char *_Nullable text;  ///< of a string
    size_t text_length;
    int64_t integer;             ///< of an integer or (0, 1) a boolean
    double real;
    size_t children;             ///< how many entries or elements follow directly; they have children themselves
} ctoml_node;

/// A parsed text, or the reason why it could not be parsed.
typedef struct ctoml_document ctoml_document;

/// Parses; never null. No text crashes it: bad UTF-8, NUL and deep nesting are errors.
ctoml_document *_Nonnull ctoml_parse(const char *_Nullable text, size_t length);
void ctoml_free(ctoml_document *_Nonnull document);

/// The message of the error with its place; null where the text was parsed.
const char *_Nullable ctoml_error(
    const ctoml_document *_Nonnull document, uint32_t *_Nonnull line, uint32_t *_Nonnull column);

/// The values in depth-first order, the root table first, entries in the order of the text.
const ctoml_node *_Nullable ctoml_nodes(const ctoml_document *_Nonnull document, size_t *_Nonnull count);

#ifdef __cplusplus
}
#endif
#endif
