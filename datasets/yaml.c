/* yaml -- a configuration file as a tree with places, through libyaml's events. */
#include "datasets/yaml.h"

#include <stdarg.h>
#include <string.h>

#include <yaml.h>

#include "datasets/base/file.h"
#include "datasets/base/memory.h"

enum { FILE_LIMIT = 64 * 1024, DEPTH_LIMIT = 64, SHOWN_LINE = 160, HINT_SIZE = 1024 };

/* ---- faults ---- */

/* The text of a line (from 1) of the source, without its end. */
static const char *find_line(const assay_yaml *yaml, size_t line, size_t *out_length) {
    const char *at = yaml->source ? yaml->source : "";
    for (size_t n = 1; n < line; n++) {
        const char *end = strchr(at, '\n');
        if (!end) {
            *out_length = 0;
            return "";
        }
        at = end + 1;
    }
    *out_length = strcspn(at, "\r\n");
    return at;
}

/* The line and a caret under its column; nothing for an empty line. Columns are characters. */
static void show_place(assay_yaml *yaml, size_t line, size_t column) {
    size_t length = 0;
    const char *text = find_line(yaml, line, &length);
    size_t shown = length < SHOWN_LINE ? length : SHOWN_LINE;
    if (shown == 0 || column == 0) return;
    while (shown < length && ((unsigned char)text[shown] & 0xC0) == 0x80) shown--;
    assay_text_append(&yaml->faults, "    ");
    assay_text_append_bytes(&yaml->faults, text, shown);
    assay_text_append(&yaml->faults, "\n    ");
    for (size_t n = 0, character = 1; character < column && n < shown; n++) {
        if (((unsigned char)text[n] & 0xC0) == 0x80) continue;
        assay_text_append(&yaml->faults, text[n] == '\t' ? "\t" : " ");
        character++;
    }
    assay_text_append(&yaml->faults, "^\n");
}

void assay_yaml_fault(assay_yaml *yaml, size_t line, size_t column, const char *format, ...) {
    char message[2048], shown[2048];
    va_list arguments;
    va_start(arguments, format);
    int written = vsnprintf(message, sizeof message, format, arguments);
    va_end(arguments);
    assay_text_appendf(&yaml->faults, "%s:%zu:%zu: %s\n", yaml->path, line, column,
                       assay_printable(shown, sizeof shown, written < 0 ? format : message));
    show_place(yaml, line, column);
    yaml->fault_count++;
}

assay_status assay_yaml_verdict(const assay_yaml *yaml) {
    if (yaml->fault_count == 0) return ASSAY_OK;
    assay_status status = assay_text_status(&yaml->faults);
    if (status != ASSAY_OK) return status;
    size_t length = yaml->faults.length; /* without the last newline */
    while (length > 0 && yaml->faults.bytes[length - 1] == '\n') length--;
    return assay_fail(ASSAY_USAGE, "%.*s", (int)length, yaml->faults.bytes);
}

static void fault_at(assay_yaml *yaml, const yaml_mark_t *mark, const char *what) {
    assay_yaml_fault(yaml, mark->line + 1, mark->column + 1, "%s", what);
}

/* ---- nodes ---- */

static void free_node(assay_yaml_node *node) {
    if (!node) return;
    for (size_t n = 0; n < node->count; n++) {
        free_node(node->items[n]);
        if (node->keys) free(node->keys[n]);
    }
    free(node->items);
    free(node->keys);
    free(node->key_lines);
    free(node->key_columns);
    free(node->text);
    free(node);
}

static assay_status create_node(assay_yaml_kind kind, const yaml_mark_t *mark,
                                assay_yaml_node **out) {
    assay_status status = assay_allocate(out, 1, sizeof **out, "the configuration");
    if (status != ASSAY_OK) return status;
    (*out)->kind = kind;
    (*out)->line = mark->line + 1;
    (*out)->column = mark->column + 1;
    return ASSAY_OK;
}

/* Takes item (and key, a map's) in any case. */
static assay_status add_item(assay_yaml_node *node, char *key, const yaml_mark_t *mark,
                             assay_yaml_node *item) {
    size_t room[4] = {node->count, node->count, node->count, node->count};
    size_t wanted = node->count + 1;
    assay_status status =
        assay_reserve(&node->items, &room[0], wanted, sizeof *node->items, "the configuration");
    if (status == ASSAY_OK && key) {
        status =
            assay_reserve(&node->keys, &room[1], wanted, sizeof *node->keys, "the configuration");
        if (status == ASSAY_OK) {
            status = assay_reserve(&node->key_lines, &room[2], wanted, sizeof *node->key_lines,
                                   "the configuration");
        }
        if (status == ASSAY_OK) {
            status = assay_reserve(&node->key_columns, &room[3], wanted, sizeof *node->key_columns,
                                   "the configuration");
        }
    }
    if (status != ASSAY_OK) {
        free(key);
        free_node(item);
        return status;
    }
    if (key) {
        node->keys[node->count] = key;
        node->key_lines[node->count] = mark->line + 1;
        node->key_columns[node->count] = mark->column + 1;
    }
    node->items[node->count++] = item;
    return ASSAY_OK;
}

/* ---- ${NAME} ---- */

static bool is_name_byte(char byte, bool first) {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || byte == '_' ||
           (!first && byte >= '0' && byte <= '9');
}

/* Replaces the ${…} that starts at *at, and moves *at behind it; false where it is a fault. */
static bool replace_one(assay_yaml *yaml, const yaml_mark_t *mark, const char **at,
                        assay_text *out) {
    const char *name = *at + 2, *end = name;
    char variable[256];
    while (is_name_byte(*end, end == name)) end++;
    size_t length = (size_t)(end - name);
    const char *fallback = strncmp(end, ":-", 2) == 0 ? end + 2 : NULL;
    const char *close = strchr(end, '}');
    if (length == 0 || length >= sizeof variable || !close || (!fallback && close != end)) {
        fault_at(yaml, mark,
                 "'${' begins no variable; expected ${NAME} or ${NAME:-default}, or $${ for a "
                 "literal ${");
        return false;
    }
    memcpy(variable, name, length);
    variable[length] = '\0';
    const char *value = getenv(variable);
    if (value && (value[0] != '\0' || !fallback)) {
        assay_text_append(out, value);
    } else if (fallback) {
        assay_text_append_bytes(out, fallback, (size_t)(close - fallback));
    } else {
        assay_yaml_fault(yaml, mark->line + 1, mark->column + 1,
                         "the environment variable %s is not set; set it, or write ${%s:-default}",
                         variable, variable);
    }
    *at = close + 1;
    return true;
}

static assay_status replace_variables(assay_yaml *yaml, const yaml_mark_t *mark, const char *text,
                                      char **out) {
    assay_text replaced = {0};
    assay_text_append(&replaced, "");
    for (const char *at = text; *at;) {
        if (strncmp(at, "$${", 3) == 0) {
            assay_text_append(&replaced, "${");
            at += 3;
        } else if (strncmp(at, "${", 2) == 0) {
            if (!replace_one(yaml, mark, &at, &replaced)) break;
        } else {
            assay_text_append_bytes(&replaced, at++, 1);
        }
    }
    assay_status status = assay_text_status(&replaced);
    if (status == ASSAY_OK) status = assay_copy_string(out, replaced.bytes ? replaced.bytes : "");
    assay_text_free(&replaced);
    return status;
}

/* ---- events to a tree ---- */

typedef struct {
    assay_yaml *yaml;
    yaml_parser_t parser;
} reader;

/* Where in the source byte offset lies. */
static yaml_mark_t place_of(const assay_yaml *yaml, size_t offset) {
    yaml_mark_t mark = {.index = offset};
    for (size_t n = 0; n < offset && yaml->source[n]; n++) {
        if (yaml->source[n] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if (((unsigned char)yaml->source[n] & 0xC0) != 0x80) {
            mark.column++;
        }
    }
    return mark;
}

/* What libyaml found wrong, as a fault. */
static assay_status syntax_fault(reader *in) {
    const yaml_parser_t *parser = &in->parser;
    char message[512];
    if (parser->error == YAML_MEMORY_ERROR) {
        return assay_fail(ASSAY_FAILED, "no memory for reading %s", in->yaml->path);
    }
    if (parser->error == YAML_READER_ERROR) {
        yaml_mark_t mark = place_of(in->yaml, parser->problem_offset);
        unsigned char byte = (unsigned char)in->yaml->source[parser->problem_offset];
        snprintf(message, sizeof message, "byte 0x%02x: %s; expected UTF-8 text", byte,
                 parser->problem);
        fault_at(in->yaml, &mark, message);
    } else {
        snprintf(message, sizeof message, "not valid YAML: %s%s%s",
                 parser->context ? parser->context : "", parser->context ? ", " : "",
                 parser->problem ? parser->problem : "it cannot be parsed");
        fault_at(in->yaml, &parser->problem_mark, message);
    }
    return ASSAY_USAGE;
}

static assay_status next_event(reader *in, yaml_event_t *event) {
    return yaml_parser_parse(&in->parser, event) ? ASSAY_OK : syntax_fault(in);
}

/* ASSAY_USAGE, with a fault noted, for what a configuration may not have. */
static assay_status check_event(reader *in, const yaml_event_t *event) {
    const yaml_char_t *anchor = NULL, *tag = NULL;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        fault_at(in->yaml, &event->start_mark,
                 "aliases (*name) are not used here; write the value out");
        return ASSAY_USAGE;
    case YAML_SCALAR_EVENT:
        anchor = event->data.scalar.anchor;
        tag = event->data.scalar.tag;
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = event->data.sequence_start.anchor;
        tag = event->data.sequence_start.tag;
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = event->data.mapping_start.anchor;
        tag = event->data.mapping_start.tag;
        break;
    default:
        return ASSAY_OK;
    }
    if (anchor) {
        fault_at(in->yaml, &event->start_mark,
                 "anchors (&name) are not used here; write the value out");
    }
    if (tag) {
        fault_at(in->yaml, &event->start_mark, "tags (!name) are not used here; write the value");
    }
    return anchor || tag ? ASSAY_USAGE : ASSAY_OK;
}

static assay_status read_node(reader *in, const yaml_event_t *event, unsigned depth,
                              assay_yaml_node **out);

static assay_status read_list(reader *in, unsigned depth, assay_yaml_node *list) {
    for (;;) {
        yaml_event_t event;
        assay_yaml_node *item = NULL;
        assay_status status = next_event(in, &event);
        if (status != ASSAY_OK) return status;
        bool ended = event.type == YAML_SEQUENCE_END_EVENT;
        if (!ended) status = read_node(in, &event, depth, &item);
        if (status == ASSAY_OK && !ended) status = add_item(list, NULL, NULL, item);
        yaml_event_delete(&event);
        if (status != ASSAY_OK || ended) return status;
    }
}

/* One key and its value. The first value of a key that is there twice is kept. */
static assay_status read_entry(reader *in, const yaml_event_t *key, unsigned depth,
                               assay_yaml_node *map) {
    yaml_event_t event;
    assay_yaml_node *value = NULL;
    char *copy = NULL;
    assay_status status = check_event(in, key);
    if (status != ASSAY_OK) return status;
    if (key->type != YAML_SCALAR_EVENT) {
        fault_at(in->yaml, &key->start_mark, "a key must be a word");
        return ASSAY_USAGE;
    }
    const char *word = (const char *)key->data.scalar.value;
    if (strlen(word) != key->data.scalar.length) {
        fault_at(in->yaml, &key->start_mark, "a key contains a NUL byte");
        return ASSAY_USAGE;
    }
    status = next_event(in, &event);
    if (status != ASSAY_OK) return status;
    status = read_node(in, &event, depth, &value);
    yaml_event_delete(&event);
    if (status != ASSAY_OK) return status;
    for (size_t n = 0; n < map->count; n++) {
        if (strcmp(map->keys[n], word) != 0) continue;
        assay_yaml_fault(in->yaml, key->start_mark.line + 1, key->start_mark.column + 1,
                         "the key '%s' is here twice, first at line %zu", word, map->key_lines[n]);
        free_node(value);
        return ASSAY_OK;
    }
    status = assay_copy_string(&copy, word);
    if (status != ASSAY_OK) {
        free_node(value);
        return status;
    }
    return add_item(map, copy, &key->start_mark, value);
}

static assay_status read_map(reader *in, unsigned depth, assay_yaml_node *map) {
    for (;;) {
        yaml_event_t event;
        assay_status status = next_event(in, &event);
        if (status != ASSAY_OK) return status;
        bool ended = event.type == YAML_MAPPING_END_EVENT;
        if (!ended) status = read_entry(in, &event, depth, map);
        yaml_event_delete(&event);
        if (status != ASSAY_OK || ended) return status;
    }
}

static assay_status read_scalar(reader *in, const yaml_event_t *event, assay_yaml_node *node) {
    const char *text = (const char *)event->data.scalar.value;
    node->quoted = event->data.scalar.style != YAML_PLAIN_SCALAR_STYLE;
    if (strlen(text) != event->data.scalar.length) {
        fault_at(in->yaml, &event->start_mark, "a value contains a NUL byte");
        return ASSAY_USAGE;
    }
    return replace_variables(in->yaml, &event->start_mark, text, &node->text);
}

/* event has been taken from the parser and stays the caller's. */
static assay_status read_node(reader *in, const yaml_event_t *event, unsigned depth,
                              assay_yaml_node **out) {
    static const assay_yaml_kind kinds[] = {
        [YAML_SCALAR_EVENT] = ASSAY_YAML_SCALAR,
        [YAML_SEQUENCE_START_EVENT] = ASSAY_YAML_LIST,
        [YAML_MAPPING_START_EVENT] = ASSAY_YAML_MAP,
    };
    assay_yaml_node *node = NULL;
    assay_status status = check_event(in, event);
    if (status != ASSAY_OK) return status;
    if (depth >= DEPTH_LIMIT) {
        fault_at(in->yaml, &event->start_mark, "more than 64 levels deep");
        return ASSAY_USAGE;
    }
    status = create_node(kinds[event->type], &event->start_mark, &node);
    if (status != ASSAY_OK) return status;
    if (node->kind == ASSAY_YAML_SCALAR) {
        status = read_scalar(in, event, node);
    } else if (node->kind == ASSAY_YAML_LIST) {
        status = read_list(in, depth + 1, node);
    } else {
        status = read_map(in, depth + 1, node);
    }
    if (status != ASSAY_OK) {
        free_node(node);
        return status;
    }
    *out = node;
    return ASSAY_OK;
}

/* Waits for an event of a type. */
static assay_status expect(reader *in, yaml_event_type_t type, const char *otherwise) {
    yaml_event_t event;
    assay_status status = next_event(in, &event);
    if (status != ASSAY_OK) return status;
    if (event.type != type) {
        fault_at(in->yaml, &event.start_mark, otherwise);
        status = ASSAY_USAGE;
    }
    yaml_event_delete(&event);
    return status;
}

static assay_status read_document(reader *in) {
    yaml_event_t event;
    assay_status status = expect(in, YAML_STREAM_START_EVENT, "the file has no beginning");
    if (status != ASSAY_OK) return status;
    status =
        expect(in, YAML_DOCUMENT_START_EVENT, "the file is empty; expected 'key: value' lines");
    if (status != ASSAY_OK) return status;
    status = next_event(in, &event);
    if (status != ASSAY_OK) return status;
    status = read_node(in, &event, 0, &in->yaml->root);
    yaml_event_delete(&event);
    if (status != ASSAY_OK) return status;
    status = expect(in, YAML_DOCUMENT_END_EVENT, "expected the document's end");
    if (status != ASSAY_OK) return status;
    return expect(in, YAML_STREAM_END_EVENT,
                  "a second document begins here; a configuration is one document");
}

/* libyaml takes quadratic time over nested brackets: they are counted before it sees them. Brackets
 * inside quotes count too, which only matters to files with 64 more opened than closed. */
static bool brackets_are_few(assay_yaml *yaml, size_t length) {
    size_t open = 0;
    for (size_t n = 0; n < length; n++) {
        char byte = yaml->source[n];
        if (byte == '[' || byte == '{') open++;
        if ((byte == ']' || byte == '}') && open > 0) open--;
        if (open > DEPTH_LIMIT) {
            yaml_mark_t mark = place_of(yaml, n);
            fault_at(yaml, &mark, "more than 64 brackets are open here");
            return false;
        }
    }
    return true;
}

static assay_status read_source(assay_yaml *yaml, size_t length) {
    reader in = {.yaml = yaml};
    if (memchr(yaml->source, '\0', length)) {
        yaml_mark_t mark = place_of(yaml, strlen(yaml->source));
        fault_at(yaml, &mark, "a NUL byte; expected UTF-8 text");
        return ASSAY_USAGE;
    }
    if (!brackets_are_few(yaml, length)) return ASSAY_USAGE;
    if (!yaml_parser_initialize(&in.parser)) {
        return assay_fail(ASSAY_FAILED, "no memory for reading %s", yaml->path);
    }
    yaml_parser_set_encoding(&in.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&in.parser, (const unsigned char *)yaml->source, length);
    assay_status status = read_document(&in);
    yaml_parser_delete(&in.parser);
    return status;
}

assay_status assay_yaml_read(const char *path, assay_yaml *out) {
    assay_yaml yaml = {0};
    size_t length = 0;
    assay_status status = assay_file_read(path, FILE_LIMIT, &yaml.source, &length);
    if (status != ASSAY_OK) {
        return assay_fail_in(ASSAY_USAGE, "reading the configuration");
    }
    status = assay_copy_string(&yaml.path, path);
    if (status != ASSAY_OK) goto out;
    status = read_source(&yaml, length);
    if (status == ASSAY_USAGE) status = assay_yaml_verdict(&yaml);
    if (status != ASSAY_OK) goto out;
    *out = yaml;
    memset(&yaml, 0, sizeof yaml);
out:
    assay_yaml_free(&yaml);
    return status;
}

void assay_yaml_free(assay_yaml *yaml) {
    if (!yaml) return;
    free_node(yaml->root);
    free(yaml->path);
    free(yaml->source);
    assay_text_free(&yaml->faults);
    memset(yaml, 0, sizeof *yaml);
}

/* ---- the schema walk ---- */

static const char *const kind_names[] = {
    [ASSAY_YAML_SCALAR] = "a single value",
    [ASSAY_YAML_LIST] = "a list",
    [ASSAY_YAML_MAP] = "a map",
};

bool assay_yaml_check_keys(assay_yaml *yaml, const assay_yaml_node *map, const char *const *known,
                           size_t count) {
    bool right = true;
    char hint[HINT_SIZE];
    if (!map) return false;
    if (map->kind != ASSAY_YAML_MAP) {
        assay_yaml_fault(yaml, map->line, map->column, "expected a map (key: value), found %s",
                         kind_names[map->kind]);
        return false;
    }
    for (size_t n = 0; n < map->count; n++) {
        bool found = false;
        for (size_t k = 0; k < count && !found; k++) found = strcmp(map->keys[n], known[k]) == 0;
        if (found) continue;
        assay_yaml_fault(yaml, map->key_lines[n], map->key_columns[n], "unknown key '%s'; %s",
                         map->keys[n],
                         assay_suggest(hint, sizeof hint, map->keys[n], known, count));
        right = false;
    }
    return right;
}

const assay_yaml_node *assay_yaml_get(const assay_yaml_node *map, const char *key) {
    if (!map || map->kind != ASSAY_YAML_MAP) return NULL;
    for (size_t n = 0; n < map->count; n++) {
        if (strcmp(map->keys[n], key) == 0) return map->items[n];
    }
    return NULL;
}

const assay_yaml_node *assay_yaml_need(assay_yaml *yaml, const assay_yaml_node *map,
                                       const char *key) {
    const assay_yaml_node *value = assay_yaml_get(map, key);
    if (!value && map && map->kind == ASSAY_YAML_MAP) {
        assay_yaml_fault(yaml, map->line, map->column, "the key '%s' is missing here", key);
    }
    return value;
}

/* False, with a fault, where node is no scalar with a value. */
static bool has_value(assay_yaml *yaml, const assay_yaml_node *node, const char *expected) {
    if (!node) return false;
    if (node->kind != ASSAY_YAML_SCALAR) {
        assay_yaml_fault(yaml, node->line, node->column, "expected %s, found %s", expected,
                         kind_names[node->kind]);
        return false;
    }
    if (node->text[0] == '\0' && !node->quoted) {
        assay_yaml_fault(yaml, node->line, node->column, "expected %s, found nothing", expected);
        return false;
    }
    return true;
}

bool assay_yaml_string(assay_yaml *yaml, const assay_yaml_node *node, const char **out) {
    if (!has_value(yaml, node, "a text")) return false;
    *out = node->text;
    return true;
}

bool assay_yaml_double(assay_yaml *yaml, const assay_yaml_node *node, double low, double high,
                       double *out) {
    char from[ASSAY_NUMBER_SIZE], to[ASSAY_NUMBER_SIZE], expected[128];
    double value = 0.0;
    snprintf(expected, sizeof expected, "a number from %s to %s", assay_print_double(from, low),
             assay_print_double(to, high));
    if (!has_value(yaml, node, expected)) return false;
    if (!assay_parse_double(node->text, &value) || !(value >= low && value <= high)) {
        assay_yaml_fault(yaml, node->line, node->column, "expected %s, found '%s'", expected,
                         node->text);
        return false;
    }
    *out = value;
    return true;
}

bool assay_yaml_uint(assay_yaml *yaml, const assay_yaml_node *node, uint64_t low, uint64_t high,
                     uint64_t *out) {
    char expected[128];
    uint64_t value = 0;
    snprintf(expected, sizeof expected, "a whole number from %llu to %llu", (unsigned long long)low,
             (unsigned long long)high);
    if (!has_value(yaml, node, expected)) return false;
    if (!assay_parse_uint64(node->text, &value) || value < low || value > high) {
        assay_yaml_fault(yaml, node->line, node->column, "expected %s, found '%s'", expected,
                         node->text);
        return false;
    }
    *out = value;
    return true;
}

bool assay_yaml_bool(assay_yaml *yaml, const assay_yaml_node *node, bool *out) {
    if (!has_value(yaml, node, "true or false")) return false;
    bool value = strcmp(node->text, "true") == 0;
    if (!value && strcmp(node->text, "false") != 0) {
        assay_yaml_fault(yaml, node->line, node->column, "expected true or false, found '%s'",
                         node->text);
        return false;
    }
    *out = value;
    return true;
}

bool assay_yaml_word(assay_yaml *yaml, const assay_yaml_node *node, const char *const *words,
                     size_t count, size_t *out) {
    char hint[HINT_SIZE];
    if (!has_value(yaml, node, "a word")) return false;
    for (size_t n = 0; n < count; n++) {
        if (strcmp(node->text, words[n]) == 0) {
            *out = n;
            return true;
        }
    }
    assay_yaml_fault(yaml, node->line, node->column, "unknown value '%s'; %s", node->text,
                     assay_suggest(hint, sizeof hint, node->text, words, count));
    return false;
}
