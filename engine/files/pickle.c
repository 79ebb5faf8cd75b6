/* pickle.c - see pickle.h.
 *
 * Mirrors Python's pickle.py and what torch/_utils.py and torch/serialization.py make of names. Easy to
 * get wrong: an object may be put into itself through the memo, so whoever walks over values has to
 * count; and REDUCE is a call, of which only those that are known here are taken.
 */
#include "engine/files/pickle.h"

#include "engine/files/utf8.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names that may be imported ---- */

typedef enum Name {
    NAME_ORDERED_DICT,
    NAME_SET,
    NAME_PARAMETER_DICT,
    NAME_PARAMETER,
    NAME_TENSOR,
    NAME_TENSOR_2,
    NAME_STORAGE,
} Name;

static const struct {
    const char *module, *name;
    Name means;
} names[] = {
    {"collections", "OrderedDict", NAME_ORDERED_DICT},
    {"__builtin__", "set", NAME_SET},
    {"builtins", "set", NAME_SET},
    {"torch.nn.modules.container", "ParameterDict", NAME_PARAMETER_DICT},
    {"torch._utils", "_rebuild_parameter", NAME_PARAMETER},
    {"torch._utils", "_rebuild_tensor", NAME_TENSOR},
    {"torch._utils", "_rebuild_tensor_v2", NAME_TENSOR_2},
    {"torch", "FloatStorage", NAME_STORAGE},
    {"torch", "HalfStorage", NAME_STORAGE},
    {"torch", "BFloat16Storage", NAME_STORAGE},
    {"torch", "DoubleStorage", NAME_STORAGE},
    {"torch", "LongStorage", NAME_STORAGE},
    {"torch", "IntStorage", NAME_STORAGE},
    {"torch", "ShortStorage", NAME_STORAGE},
    {"torch", "CharStorage", NAME_STORAGE},
    {"torch", "ByteStorage", NAME_STORAGE},
    {"torch", "BoolStorage", NAME_STORAGE},
};

/* ---- the machine ---- */

typedef struct Machine {
    const SlPickleBytes *in;
    SlPickle *out;
    SlError *err;
    size_t at, begin; /* behind what was read; of the instruction */
    const char *op;   /* its name */
    SlPickleValue **stack;
    size_t depth, stack_room;
    size_t *mark; /* depths */
    size_t marks, mark_room;
    SlPickleValue **memo;
    size_t memo_room;
    size_t items; /* of all containers */
} Machine;

static bool no_memory(const Machine *m)
{
    return sl_fail(m->err, SL_MEMORY, "%s: out of memory", sl_show_path(m->in->path).text);
}

/* "cat.pt: this pickle does more than hold tensors ..." */
static bool refuse(const Machine *m, SlCode code, const char *what)
{
    return sl_fail(m->err, code,
                   "%s: its pickle cannot be read: the opcode %s at byte %llu %s; a pickle is a "
                   "program, and only what torch.save writes of tensors is understood, none of it "
                   "run",
                   sl_show_path(m->in->path).text, m->op,
                   (unsigned long long)(m->in->at + m->begin), what);
}

static bool damaged(const Machine *m, const char *what)
{
    return refuse(m, SL_FORMAT, what);
}

/* The next bytes; NULL and *err where the pickle ends before. */
static const unsigned char *take(Machine *m, size_t count)
{
    if (count > m->in->length - m->at) {
        damaged(m, sl_words("needs more bytes than there are: the file is cut off or damaged"));
        return NULL;
    }
    m->at += count;
    return m->in->data + m->at - count;
}

static bool take_number(Machine *m, int bytes, uint32_t *number)
{
    const unsigned char *p = take(m, (size_t)bytes);
    *number = 0;
    for (int i = 0; p && i < bytes; i++)
        *number |= (uint32_t)p[i] << 8 * i;
    return p != NULL;
}

/* Room for one more element behind `count`. */
static bool grow(const Machine *m, void **array, size_t *room, size_t count, size_t size)
{
    if (count < *room)
        return true;
    size_t more = *room ? 2 * *room : 16;
    void *bytes = realloc(*array, more * size);
    if (!bytes)
        return no_memory(m);
    *array = bytes;
    *room = more;
    return true;
}

static SlPickleValue *new_value(const Machine *m, SlPickleKind kind)
{
    SlPickleValue *v = calloc(1, sizeof *v);
    if (!v) {
        no_memory(m);
        return NULL;
    }
    v->kind = kind;
    v->next = m->out->values;
    m->out->values = v;
    return v;
}

static bool push(Machine *m, SlPickleValue *v)
{
    if (!v || !grow(m, (void **)&m->stack, &m->stack_room, m->depth, sizeof(SlPickleValue *)))
        return false;
    m->stack[m->depth++] = v;
    return true;
}

/* How deep the stack may be emptied. */
static size_t bottom(const Machine *m)
{
    return m->marks ? m->mark[m->marks - 1] : 0;
}

static SlPickleValue *pop(Machine *m)
{
    if (m->depth <= bottom(m)) {
        damaged(m, sl_words("takes a value where there is none"));
        return NULL;
    }
    return m->stack[--m->depth];
}

static SlPickleValue *top(const Machine *m)
{
    if (m->depth <= bottom(m)) {
        damaged(m, sl_words("wants a value where there is none"));
        return NULL;
    }
    return m->stack[m->depth - 1];
}

/* An item is put there by an instruction, and once more by the state of a ParameterDict at most. */
static bool add_item(Machine *m, SlPickleValue *to, SlPickleValue *item)
{
    if (m->items++ > 2 * m->in->length)
        return damaged(m, sl_words("copies more values than there are"));
    if (!grow(m, (void **)&to->item, &to->room, to->count, sizeof(SlPickleValue *)))
        return false;
    to->item[to->count++] = item;
    return true;
}

/* Copied from the pickle. */
static bool set_text(const Machine *m, SlPickleValue *v, const unsigned char *bytes, size_t length)
{
    char *text = malloc(length + 1);
    if (!text)
        return no_memory(m);
    memcpy(text, bytes, length);
    text[length] = 0;
    v->text = text;
    v->length = length;
    return true;
}

/* ---- instructions: plain values ---- */

static bool push_int(Machine *m, SlPickleKind kind, int64_t whole)
{
    SlPickleValue *v = new_value(m, kind);
    if (v)
        v->whole = whole;
    return push(m, v);
}

static bool do_long(Machine *m)
{
    uint32_t bytes;
    uint64_t whole = 0;
    const unsigned char *p = take_number(m, 1, &bytes) ? take(m, bytes) : NULL;
    if (!p)
        return false;
    if (bytes > 8) {
        SlPickleValue *v = new_value(m, SL_PICKLE_BIG);
        return v && set_text(m, v, p, bytes) && push(m, v);
    }
    for (uint32_t i = 0; i < 8; i++) {
        uint64_t sign = bytes && p[bytes - 1] & 0x80 ? 0xff : 0;
        whole |= (i < bytes ? p[i] : sign) << 8 * i;
    }
    return push_int(m, SL_PICKLE_INT, (int64_t)whole);
}

static bool do_float(Machine *m)
{
    const unsigned char *p = take(m, 8);
    uint64_t bits = 0;
    for (int i = 0; p && i < 8; i++)
        bits = bits << 8 | p[i];
    SlPickleValue *v = p ? new_value(m, SL_PICKLE_REAL) : NULL;
    if (v)
        memcpy(&v->real, &bits, sizeof bits);
    return push(m, v);
}

static bool do_text(Machine *m)
{
    uint32_t length;
    const unsigned char *p = take_number(m, 4, &length) ? take(m, length) : NULL;
    if (!p)
        return false;
    if (memchr(p, 0, length) || !sl_utf8_valid((const char *)p, length))
        return damaged(m, sl_words("has a text that is not UTF-8"));
    SlPickleValue *v = new_value(m, SL_PICKLE_TEXT);
    return v && set_text(m, v, p, length) && push(m, v);
}

/* ---- containers ---- */

static bool do_mark(Machine *m)
{
    if (!grow(m, (void **)&m->mark, &m->mark_room, m->marks, sizeof *m->mark))
        return false;
    m->mark[m->marks++] = m->depth;
    return true;
}

/* The place of the last mark, which is gone then. */
static bool take_mark(Machine *m, size_t *first)
{
    if (m->marks == 0)
        return damaged(m, sl_words("wants a MARK, and there is none"));
    *first = m->mark[--m->marks];
    return true;
}

/* What lies from `first` on becomes a tuple. */
static bool make_tuple(Machine *m, size_t first)
{
    SlPickleValue *tuple = new_value(m, SL_PICKLE_TUPLE);
    bool ok = tuple != NULL;
    for (size_t i = first; ok && i < m->depth; i++)
        ok = add_item(m, tuple, m->stack[i]);
    m->depth = first;
    return ok && push(m, tuple);
}

static bool do_small_tuple(Machine *m, size_t count)
{
    if (m->depth - bottom(m) < count)
        return damaged(m, sl_words("takes a value where there is none"));
    return make_tuple(m, m->depth - count);
}

static bool do_tuple(Machine *m)
{
    size_t first = 0;
    return take_mark(m, &first) && make_tuple(m, first);
}

/* What lies from `first` on goes into the container below it. */
static bool fill(Machine *m, size_t first, SlPickleKind kind)
{
    size_t last = m->depth, each = kind == SL_PICKLE_DICT ? 2 : 1;
    m->depth = first;
    SlPickleValue *to = top(m);
    if (!to)
        return false;
    if (to->kind != kind)
        return damaged(m, kind == SL_PICKLE_DICT ? sl_words("fills something that is no dict")
                                                 : sl_words("fills something that is no list"));
    if ((last - first) % each)
        return damaged(m, sl_words("has a key without a value"));
    for (size_t i = first; i < last; i++)
        if (!add_item(m, to, m->stack[i]))
            return false;
    return true;
}

static bool do_item(Machine *m, SlPickleKind kind)
{
    size_t count = kind == SL_PICKLE_DICT ? 2 : 1;
    if (m->depth - bottom(m) < count)
        return damaged(m, sl_words("takes a value where there is none"));
    return fill(m, m->depth - count, kind);
}

static bool do_items(Machine *m, SlPickleKind kind)
{
    size_t first = 0;
    return take_mark(m, &first) && fill(m, first, kind);
}

/* ---- the memo ---- */

static bool do_put(Machine *m, int bytes)
{
    uint32_t place;
    SlPickleValue *v = take_number(m, bytes, &place) ? top(m) : NULL;
    if (!v)
        return false;
    if (place > m->in->length) /* each takes an instruction */
        return damaged(m, sl_words("has a memo place that is too high"));
    if (place >= m->memo_room) {
        size_t room = 2 * (size_t)place + 64;
        SlPickleValue **more = realloc(m->memo, room * sizeof *more);
        if (!more)
            return no_memory(m);
        memset(more + m->memo_room, 0, (room - m->memo_room) * sizeof *more);
        m->memo = more;
        m->memo_room = room;
    }
    m->memo[place] = v;
    return true;
}

static bool do_get(Machine *m, int bytes)
{
    uint32_t place;
    if (!take_number(m, bytes, &place))
        return false;
    if (place >= m->memo_room || !m->memo[place])
        return damaged(m, sl_words("asks for a memo place that is empty"));
    return push(m, m->memo[place]);
}

/* ---- what is imported, and what is made of it ---- */

/* A line; its length without the end. */
static const unsigned char *take_line(Machine *m, size_t *length)
{
    const unsigned char *p = m->in->data + m->at;
    const unsigned char *end = memchr(p, '\n', m->in->length - m->at);
    if (!end) {
        damaged(m, sl_words("has no end: the file is cut off or damaged"));
        return NULL;
    }
    *length = (size_t)(end - p);
    m->at += *length + 1;
    return p;
}

static bool is_text(const unsigned char *p, size_t length, const char *text)
{
    return strlen(text) == length && !memcmp(p, text, length);
}

static bool refuse_name(Machine *m, const unsigned char *module, size_t module_length,
                        const unsigned char *name, size_t name_length)
{
    char whole[120], what[SL_SHOWN + 40];
    snprintf(whole, sizeof whole, "%.*s.%.*s", module_length < 50 ? (int)module_length : 50,
             (const char *)module, name_length < 50 ? (int)name_length : 50, (const char *)name);
    snprintf(what, sizeof what, sl_words("imports \"%s\""), sl_show_name(whole).text);
    return refuse(m, SL_UNSUPPORTED, what);
}

static bool do_global(Machine *m)
{
    size_t module_length, name_length;
    const unsigned char *module = take_line(m, &module_length);
    const unsigned char *name = module ? take_line(m, &name_length) : NULL;
    if (!name)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (!is_text(module, module_length, names[i].module) ||
            !is_text(name, name_length, names[i].name))
            continue;
        SlPickleValue *v = new_value(m, SL_PICKLE_NAME);
        if (!v || !set_text(m, v, name, name_length))
            return false;
        v->whole = names[i].means;
        return push(m, v);
    }
    return refuse_name(m, module, module_length, name, name_length);
}

static bool is_name(const SlPickleValue *v, Name name)
{
    return v->kind == SL_PICKLE_NAME && v->whole == (int64_t)name;
}

static bool is_size(const SlPickleValue *v)
{
    return v->kind == SL_PICKLE_INT && v->whole >= 0;
}

/* ("module", ParameterDict, file, source): the old form writes the source of a class beside it. */
static bool is_class(const SlPickleValue *of)
{
    return of->kind == SL_PICKLE_TUPLE && of->count == 4 && of->item[0]->kind == SL_PICKLE_TEXT &&
           !strcmp(of->item[0]->text, "module") && is_name(of->item[1], NAME_PARAMETER_DICT);
}

/* ("storage", FloatStorage, key, device, elements) */
static bool do_storage(Machine *m)
{
    SlPickleValue *of = pop(m), *v;
    if (!of)
        return false;
    if (is_class(of))
        return push(m, of->item[1]);
    if (of->kind != SL_PICKLE_TUPLE || of->count < 5 || of->count > 6 ||
        of->item[0]->kind != SL_PICKLE_TEXT || strcmp(of->item[0]->text, "storage") != 0 ||
        !is_name(of->item[1], NAME_STORAGE) || of->item[2]->kind != SL_PICKLE_TEXT ||
        !is_size(of->item[4]))
        return refuse(m, SL_UNSUPPORTED, sl_words("names something that is no storage of numbers"));
    if (of->count == 6 && of->item[5]->kind != SL_PICKLE_NONE)
        return refuse(m, SL_UNSUPPORTED, sl_words("names a part of a storage"));
    v = new_value(m, SL_PICKLE_STORAGE);
    if (v)
        v->storage = (SlPickleStorage){of->item[1]->text, of->item[2]->text, of->item[4]->whole};
    return push(m, v);
}

static bool copy_sizes(const SlPickleValue *from, int64_t *to, int *count)
{
    if (from->kind != SL_PICKLE_TUPLE || from->count > SL_PICKLE_MAX_RANK)
        return false;
    for (size_t i = 0; i < from->count; i++) {
        if (!is_size(from->item[i]))
            return false;
        to[i] = from->item[i]->whole;
    }
    *count = (int)from->count;
    return true;
}

/* (storage, offset, size, stride, ...) */
static bool make_tensor(Machine *m, const SlPickleValue *args, size_t least)
{
    SlPickleTensor t = {.rank = 0};
    int strides;
    if (args->count < least || args->item[0]->kind != SL_PICKLE_STORAGE ||
        !is_size(args->item[1]) || !copy_sizes(args->item[2], t.size, &t.rank) ||
        !copy_sizes(args->item[3], t.stride, &strides) || strides != t.rank)
        return damaged(m,
                       sl_words("makes a tensor of something else than a storage and its sizes"));
    t.storage = args->item[0];
    t.offset = args->item[1]->whole;
    SlPickleValue *v = new_value(m, SL_PICKLE_TENSOR);
    if (v)
        v->tensor = t;
    return push(m, v);
}

static bool do_reduce(Machine *m)
{
    SlPickleValue *args = pop(m), *what = args ? pop(m) : NULL;
    if (!what)
        return false;
    if (what->kind != SL_PICKLE_NAME || args->kind != SL_PICKLE_TUPLE)
        return damaged(m, sl_words("calls something that is not a function"));
    switch ((Name)what->whole) {
    case NAME_ORDERED_DICT:
        if (args->count == 0)
            return push(m, new_value(m, SL_PICKLE_DICT));
        break;
    case NAME_SET:
        return push(m, new_value(m, SL_PICKLE_LIST));
    case NAME_TENSOR:
        return make_tensor(m, args, 4);
    case NAME_TENSOR_2:
        return make_tensor(m, args, 6);
    case NAME_PARAMETER:
        if (args->count >= 1 && args->item[0]->kind == SL_PICKLE_TENSOR)
            return push(m, args->item[0]);
        break;
    case NAME_PARAMETER_DICT:
    case NAME_STORAGE:
        break;
    }
    return refuse(m, SL_UNSUPPORTED,
                  sl_words("calls a function in a way that torch.save does not"));
}

static bool do_new_object(Machine *m)
{
    SlPickleValue *args = pop(m), *what = args ? pop(m) : NULL;
    if (!what)
        return false;
    if (!is_name(what, NAME_PARAMETER_DICT) || args->kind != SL_PICKLE_TUPLE || args->count > 0)
        return refuse(m, SL_UNSUPPORTED, sl_words("makes an object that is no ParameterDict"));
    SlPickleValue *v = new_value(m, SL_PICKLE_DICT);
    if (v)
        v->parameters = true;
    return push(m, v);
}

/* The state of a ParameterDict has its members in "_parameters"; an OrderedDict's is remarks. */
static bool do_build(Machine *m)
{
    const SlPickleValue *state = pop(m);
    SlPickleValue *object = state ? top(m) : NULL;
    if (!object)
        return false;
    if (object->kind != SL_PICKLE_DICT)
        return refuse(m, SL_UNSUPPORTED, sl_words("gives a state to something that is no dict"));
    const SlPickleValue *of = object->parameters ? sl_pickle_member(state, "_parameters") : NULL;
    object->parameters = false;
    size_t count = of && of->kind == SL_PICKLE_DICT && of != object ? of->count : 0;
    for (size_t i = 0; i < count; i++)
        if (!add_item(m, object, of->item[i]))
            return false;
    return true;
}

static bool do_protocol(Machine *m)
{
    uint32_t version;
    return take_number(m, 1, &version) &&
           (version == 2 ||
            refuse(m, SL_UNSUPPORTED, sl_words("is of another protocol than torch.save's 2")));
}

/* ---- the table ---- */

typedef enum Op {
    OP_MARK = '(',
    OP_EMPTY_TUPLE = ')',
    OP_STOP = '.',
    OP_BINFLOAT = 'G',
    OP_BININT = 'J',
    OP_BININT1 = 'K',
    OP_BININT2 = 'M',
    OP_NONE = 'N',
    OP_BINPERSID = 'Q',
    OP_REDUCE = 'R',
    OP_BINUNICODE = 'X',
    OP_EMPTY_LIST = ']',
    OP_APPEND = 'a',
    OP_BUILD = 'b',
    OP_GLOBAL = 'c',
    OP_APPENDS = 'e',
    OP_BINGET = 'h',
    OP_LONG_BINGET = 'j',
    OP_BINPUT = 'q',
    OP_LONG_BINPUT = 'r',
    OP_SETITEM = 's',
    OP_TUPLE = 't',
    OP_SETITEMS = 'u',
    OP_EMPTY_DICT = '}',
    OP_PROTO = 0x80,
    OP_NEWOBJ = 0x81,
    OP_TUPLE1 = 0x85,
    OP_TUPLE2 = 0x86,
    OP_TUPLE3 = 0x87,
    OP_NEWTRUE = 0x88,
    OP_NEWFALSE = 0x89,
    OP_LONG1 = 0x8a,
} Op;

/* Also of those that are refused, where a pickle that does harm has them. */
static const char *const op_names[256] = {
    [OP_MARK] = "MARK",
    [OP_EMPTY_TUPLE] = "EMPTY_TUPLE",
    [OP_STOP] = "STOP",
    [OP_BINFLOAT] = "BINFLOAT",
    [OP_BININT] = "BININT",
    [OP_BININT1] = "BININT1",
    [OP_BININT2] = "BININT2",
    [OP_NONE] = "NONE",
    [OP_BINPERSID] = "BINPERSID",
    [OP_REDUCE] = "REDUCE",
    [OP_BINUNICODE] = "BINUNICODE",
    [OP_EMPTY_LIST] = "EMPTY_LIST",
    [OP_APPEND] = "APPEND",
    [OP_BUILD] = "BUILD",
    [OP_GLOBAL] = "GLOBAL",
    [OP_APPENDS] = "APPENDS",
    [OP_BINGET] = "BINGET",
    [OP_LONG_BINGET] = "LONG_BINGET",
    [OP_BINPUT] = "BINPUT",
    [OP_LONG_BINPUT] = "LONG_BINPUT",
    [OP_SETITEM] = "SETITEM",
    [OP_TUPLE] = "TUPLE",
    [OP_SETITEMS] = "SETITEMS",
    [OP_EMPTY_DICT] = "EMPTY_DICT",
    [OP_PROTO] = "PROTO",
    [OP_NEWOBJ] = "NEWOBJ",
    [OP_TUPLE1] = "TUPLE1",
    [OP_TUPLE2] = "TUPLE2",
    [OP_TUPLE3] = "TUPLE3",
    [OP_NEWTRUE] = "NEWTRUE",
    [OP_NEWFALSE] = "NEWFALSE",
    [OP_LONG1] = "LONG1",
    ['i'] = "INST",
    ['o'] = "OBJ",
    ['P'] = "PERSID",
    [0x82] = "EXT1",
    [0x83] = "EXT2",
    [0x84] = "EXT4",
    [0x92] = "NEWOBJ_EX",
    [0x93] = "STACK_GLOBAL",
    [0x95] = "FRAME",
};

static bool do_values(Machine *m, Op op)
{
    uint32_t number;
    switch (op) {
    case OP_NONE:
        return push_int(m, SL_PICKLE_NONE, 0);
    case OP_NEWTRUE:
    case OP_NEWFALSE:
        return push_int(m, SL_PICKLE_BOOL, op == OP_NEWTRUE);
    case OP_BININT:
        return take_number(m, 4, &number) && push_int(m, SL_PICKLE_INT, (int32_t)number);
    case OP_BININT1:
        return take_number(m, 1, &number) && push_int(m, SL_PICKLE_INT, number);
    case OP_BININT2:
        return take_number(m, 2, &number) && push_int(m, SL_PICKLE_INT, number);
    case OP_LONG1:
        return do_long(m);
    case OP_BINFLOAT:
        return do_float(m);
    case OP_BINUNICODE:
        return do_text(m);
    case OP_EMPTY_TUPLE:
        return push_int(m, SL_PICKLE_TUPLE, 0);
    case OP_EMPTY_LIST:
        return push_int(m, SL_PICKLE_LIST, 0);
    case OP_EMPTY_DICT:
        return push_int(m, SL_PICKLE_DICT, 0);
    default:
        return refuse(m, SL_UNSUPPORTED, sl_words("is none that torch.save writes"));
    }
}

static bool do_op(Machine *m, Op op)
{
    switch (op) {
    case OP_PROTO:
        return do_protocol(m);
    case OP_MARK:
        return do_mark(m);
    case OP_TUPLE:
        return do_tuple(m);
    case OP_TUPLE1:
    case OP_TUPLE2:
    case OP_TUPLE3:
        return do_small_tuple(m, (size_t)(op - OP_TUPLE1) + 1);
    case OP_SETITEM:
    case OP_APPEND:
        return do_item(m, op == OP_SETITEM ? SL_PICKLE_DICT : SL_PICKLE_LIST);
    case OP_SETITEMS:
    case OP_APPENDS:
        return do_items(m, op == OP_SETITEMS ? SL_PICKLE_DICT : SL_PICKLE_LIST);
    case OP_BINPUT:
    case OP_LONG_BINPUT:
        return do_put(m, op == OP_BINPUT ? 1 : 4);
    case OP_BINGET:
    case OP_LONG_BINGET:
        return do_get(m, op == OP_BINGET ? 1 : 4);
    case OP_GLOBAL:
        return do_global(m);
    case OP_BINPERSID:
        return do_storage(m);
    case OP_REDUCE:
        return do_reduce(m);
    case OP_NEWOBJ:
        return do_new_object(m);
    case OP_BUILD:
        return do_build(m);
    default:
        return do_values(m, op);
    }
}

static bool run(Machine *m)
{
    char number[16];
    for (;;) {
        m->op = "STOP";
        m->begin = m->at;
        const unsigned char *code = take(m, 1);
        if (!code)
            return false;
        snprintf(number, sizeof number, "0x%02X", *code);
        m->op = op_names[*code] ? op_names[*code] : number;
        if (*code != OP_STOP) {
            if (!do_op(m, (Op)*code))
                return false;
            continue;
        }
        if (m->marks > 0 || m->depth != 1)
            return damaged(m, sl_words("leaves more or less than one value"));
        m->out->root = m->stack[0];
        m->out->used = m->at;
        return true;
    }
}

bool sl_pickle_read(const SlPickleBytes *bytes, SlPickle *out, SlError *err)
{
    Machine m = {.in = bytes, .out = out, .err = err};
    *out = (SlPickle){0};
    bool ok = run(&m);
    free(m.stack);
    free(m.mark);
    free(m.memo);
    return ok;
}

void sl_pickle_free(SlPickle *pickle)
{
    for (SlPickleValue *v = pickle->values, *next; v; v = next) {
        next = v->next;
        free((char *)v->text);
        free(v->item);
        free(v);
    }
    *pickle = (SlPickle){0};
}

const SlPickleValue *sl_pickle_member(const SlPickleValue *dict, const char *key)
{
    for (size_t i = 0; dict->kind == SL_PICKLE_DICT && i + 1 < dict->count; i += 2)
        if (dict->item[i]->kind == SL_PICKLE_TEXT && !strcmp(dict->item[i]->text, key))
            return dict->item[i + 1];
    return NULL;
}
