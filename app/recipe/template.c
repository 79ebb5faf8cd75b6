/* template.c - see template.h. A template is read into nodes once; a wildcard's files are read once, too, however
 * often it is named. How many prompts there are is counted from the nodes, and the n-th made without the others.
 */
#include "app/recipe/template.h"

#include "app/files/files.h"
#include "engine/engine.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define MAX_DEPTH   60 /* of choices within one another, wildcards included */
#define MAX_NODES   200000
#define MAX_TEXT    ((size_t)64 << 10) /* bytes of a prompt, and of a template */
#define MAX_FILE    ((size_t)4 << 20)
#define MAX_FILES   1000 /* that one wildcard names */
#define MAX_PICKED  100  /* of one choice at once */
#define MAX_OPTIONS 1000 /* of a choice that is written out */
#define MAX_STARS   8
#define MAX_MAKING  1000000 /* nodes that one prompt is made of */

typedef enum NodeKind { NODE_TEXT, NODE_SEQUENCE, NODE_CHOICE } NodeKind;

typedef struct Node {
    NodeKind kind;
    bool wildcard; /* a choice among the lines of files */
    char *text;    /* of a choice: what stands between those that are picked */
    int *child, children;
    double *weight; /* of a choice's children */
    int min, max;   /* of them are picked */
    double count;
} Node;

struct SlTemplate {
    Node *node;
    int nodes, root;
};

/* ---- reading ---- */

typedef struct Wildcard {
    struct Wildcard *next;
    char *name;
    int node; /* -1: it is being read */
} Wildcard;

typedef struct Reader {
    SlTemplate *t;
    const char *const *folders;
    Wildcard *wildcards;
    int depth;
    SlError *err;
} Reader;

/* A text and how far it is read; file NULL: the template itself. */
typedef struct Source {
    const char *p, *begin;
    const char *file;
} Source;

static int no_memory(Reader *r)
{
    sl_fail(r->err, SL_MEMORY, "Out of memory while a template was read");
    return -1;
}

/* "The template" or the name of a file, for sentences. */
static const char *whose(const Source *s)
{
    return s->file ? s->file : sl_words("The prompt's template");
}

static int add_node(Reader *r, NodeKind kind)
{
    SlTemplate *t = r->t;
    if (t->nodes == MAX_NODES) {
        sl_fail(r->err, SL_ARGUMENT, "The prompt's template has more than %d parts", MAX_NODES);
        return -1;
    }
    if ((t->nodes & (t->nodes - 1)) == 0) {
        Node *more = realloc(t->node, (size_t)(t->nodes ? 2 * t->nodes : 1) * sizeof *more);
        if (!more)
            return no_memory(r);
        t->node = more;
    }
    t->node[t->nodes] = (Node){.kind = kind, .min = 1, .max = 1};
    return t->nodes++;
}

/* child is a child of parent; false without memory. */
static bool add_child(Reader *r, int parent, int child, double weight)
{
    Node *n = &r->t->node[parent];
    if ((n->children & (n->children - 1)) == 0) {
        size_t room = n->children ? 2 * (size_t)n->children : 1;
        int *more = realloc(n->child, room * sizeof *more);
        if (more)
            n->child = more;
        double *weights = more ? realloc(n->weight, room * sizeof *weights) : NULL;
        if (weights)
            n->weight = weights;
        if (!weights)
            return no_memory(r) >= 0;
    }
    n->child[n->children] = child;
    n->weight[n->children++] = weight;
    return true;
}

static bool is_blank(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* The length of a wildcard's name behind "__" at p, 0 where it is none. */
static size_t wildcard_name(const char *p)
{
    size_t n = 0;
    while (p[2 + n] && !(p[2 + n] == '_' && p[3 + n] == '_')) {
        char c = p[2 + n];
        bool fits = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                    (c && strchr("_-/*. @~!", c)) || (unsigned char)c >= 0x80;
        if (!fits)
            return 0;
        n++;
    }
    return p[2 + n] && !is_blank(p[2]) && (n == 0 || !is_blank(p[1 + n])) ? n : 0;
}

static bool is_wildcard(const char *p)
{
    return p[0] == '_' && p[1] == '_' && wildcard_name(p) > 0;
}

static int read_wildcard(Reader *r, Source *s);
static int read_choice(Reader *r, Source *s);

/* Text as far as it goes; escapes are resolved and comments left out. */
static int read_text(Reader *r, Source *s, bool within)
{
    SlText text = {0};
    sl_text_add(&text, "");
    while (*s->p && *s->p != '{' && !is_wildcard(s->p) && !(within && strchr("|}", *s->p)) &&
           !((*s->p == '$' || *s->p == '%') && s->p[1] == '{')) {
        if (*s->p == '#') {
            s->p += strcspn(s->p, "\n");
            continue;
        }
        s->p += *s->p == '\\' && s->p[1] && strchr("{}|#_$%", s->p[1]);
        sl_text_append(&text, s->p++, 1);
    }
    int node = text.failed ? no_memory(r) : add_node(r, NODE_TEXT);
    if (node >= 0)
        r->t->node[node].text = sl_text_take(&text);
    sl_text_free(&text);
    return node;
}

/* Up to the end, or within a choice up to "|" or "}". */
static int read_sequence(Reader *r, Source *s, bool within)
{
    int sequence = add_node(r, NODE_SEQUENCE);
    bool ok = sequence >= 0;
    while (ok && within && is_blank(*s->p))
        s->p++;
    while (ok && *s->p && !(within && strchr("|}", *s->p))) {
        if ((*s->p == '$' || *s->p == '%') && s->p[1] == '{') {
            sl_fail(r->err, SL_ARGUMENT,
                    "%s has \"%.20s\"; variables and wraps (${ } and %%{ }) are not known here",
                    whose(s), s->p);
            return -1;
        }
        int child = *s->p == '{'        ? read_choice(r, s)
                    : is_wildcard(s->p) ? read_wildcard(r, s)
                                        : read_text(r, s, within);
        ok = child >= 0 && add_child(r, sequence, child, 1);
    }
    return ok ? sequence : -1;
}

/* "2$$", "1-2$$ and $$", "-2$$", "2-$$" at the beginning of a choice; it stays as it is where there is none. */
static bool read_bounds(Reader *r, Source *s, Node *bounds)
{
    const char *p = s->p;
    char *end;
    bool low = *p >= '0' && *p <= '9', dash, high;
    long min = low ? strtol(p, &end, 10) : 1;
    p = low ? end : p;
    dash = *p == '-';
    p += dash;
    high = dash && *p >= '0' && *p <= '9';
    long max = high ? strtol(p, &end, 10) : dash ? MAX_PICKED : min;
    p = high ? end : p;
    if ((!low && !dash) || strncmp(p, "$$", 2))
        return true;
    if (min > MAX_PICKED || max > MAX_PICKED || max < min) {
        sl_fail(
            r->err, SL_ARGUMENT,
            "%s picks %ld to %ld at \"{%.20s\"; expected two numbers up to %d, the smaller first",
            whose(s), min, max, s->p, MAX_PICKED);
        return false;
    }
    bounds->min = (int)min;
    bounds->max = (int)max;
    s->p = p + 2;
    size_t between = strcspn(s->p, "$|{}\\");
    bool own = !strncmp(s->p + between, "$$", 2);
    bounds->text = own ? sl_copy_bytes(s->p, between) : strdup(",");
    s->p += own ? between + 2 : 0;
    return bounds->text || no_memory(r) >= 0;
}

/* "0.5::" before an option. */
static double read_weight(Source *s)
{
    const char *p = s->p;
    while (is_blank(*p))
        p++;
    size_t n = strspn(p, "0123456789.");
    char number[32];
    double weight;
    if (n == 0 || n >= sizeof number || strncmp(p + n, "::", 2))
        return 1;
    memcpy(number, p, n);
    number[n] = '\0';
    if (!sl_parse_double(number, &weight))
        return 1;
    s->p = p + n + 2;
    return weight;
}

static bool same_nodes(const SlTemplate *t, int a, int b, int depth)
{
    const Node *m = &t->node[a], *n = &t->node[b];
    if (a == b)
        return true;
    if (depth == 0 || m->kind != n->kind || m->children != n->children || m->min != n->min ||
        m->max != n->max || strcmp(m->text ? m->text : "", n->text ? n->text : ""))
        return false;
    for (int i = 0; i < m->children; i++)
        if (!same_nodes(t, m->child[i], n->child[i], depth - 1))
            return false;
    return true;
}

/* An option; one that is there already is drawn the more often. */
static bool add_option(Reader *r, int choice, int option, double weight)
{
    Node *n = &r->t->node[choice];
    if (n->children == MAX_OPTIONS && !n->wildcard)
        return sl_fail(
            r->err, SL_ARGUMENT,
            "The prompt's template has a choice of more than %d; expected a wildcard file",
            MAX_OPTIONS);
    /* the options of a choice are few, lines of files many: those are compared when they are read */
    for (int i = 0; i < n->children && !n->wildcard; i++)
        if (same_nodes(r->t, n->child[i], option, 4)) {
            n->weight[i] += weight;
            return true;
        }
    return add_child(r, choice, option, weight);
}

/* {2$$__colour__}: of the wildcard's lines. */
static bool open_wildcard(Reader *r, int choice)
{
    SlTemplate *t = r->t;
    const Node *option = &t->node[t->node[choice].child[0]];
    if (t->node[choice].children != 1 || option->kind != NODE_SEQUENCE || option->children != 1 ||
        !t->node[option->child[0]].wildcard)
        return true;
    int lines = option->child[0];
    t->node[choice].children = 0;
    t->node[choice].wildcard = true;
    free(t->node[choice].child);
    free(t->node[choice].weight);
    t->node[choice].child = NULL;
    t->node[choice].weight = NULL;
    for (int i = 0; i < t->node[lines].children; i++)
        if (!add_child(r, choice, t->node[lines].child[i], t->node[lines].weight[i]))
            return false;
    return true;
}

static int deeper(Reader *r, const Source *s)
{
    if (++r->depth <= MAX_DEPTH)
        return 0;
    sl_fail(r->err, SL_ARGUMENT, "%s has choices that are nested deeper than %d", whose(s),
            MAX_DEPTH);
    return -1;
}

static int read_choice(Reader *r, Source *s)
{
    const char *begin = s->p++;
    Node bounds = {.min = 1, .max = 1};
    int choice = deeper(r, s) < 0 ? -1 : add_node(r, NODE_CHOICE);
    bool ok = choice >= 0;
    if (ok && *s->p && strchr("@~!", *s->p)) {
        sl_fail(r->err, SL_ARGUMENT, "%s has \"%.20s\"; choices with @, ~ or ! are not known here",
                whose(s), begin);
        return -1;
    }
    ok = ok && read_bounds(r, s, &bounds);
    if (choice >= 0) {
        r->t->node[choice].min = bounds.min;
        r->t->node[choice].max = bounds.max;
        r->t->node[choice].text = bounds.text;
    }
    for (bool more = ok; ok && more;) {
        double weight = read_weight(s);
        int option = read_sequence(r, s, true);
        ok = option >= 0 && add_option(r, choice, option, weight);
        more = *s->p == '|';
        s->p += ok && more;
    }
    if (ok && *s->p != '}') {
        sl_fail(r->err, SL_ARGUMENT, "%s has a brace that is not closed: \"%.40s\"", whose(s),
                begin);
        ok = false;
    }
    ok = ok && open_wildcard(r, choice);
    s->p += ok;
    r->depth--;
    return ok ? choice : -1;
}

/* ---- wildcard files ---- */

/* "*" is anything but "/", "**" anything. */
static bool matches(const char *pattern, const char *name)
{
    if (*pattern != '*')
        return *pattern == *name && (!*pattern || matches(pattern + 1, name + 1));
    bool all = pattern[1] == '*';
    const char *rest = pattern + (all ? 2 : 1);
    for (;; name++) {
        if (matches(rest, name))
            return true;
        if (!*name || (!all && *name == '/'))
            return false;
    }
}

typedef struct Found {
    char **path;
    int count;
    bool failed, many;
    SlError unread; /* the first folder that is there and could not be read to its end */
} Found;

static void add_path(Found *found, const char *path)
{
    char **more = realloc(found->path, ((size_t)found->count + 1) * sizeof *more);
    if (more)
        found->path = more;
    found->many |= found->count == MAX_FILES;
    if (!more || !(more[found->count] = strdup(path)))
        found->failed = true;
    else
        found->count++;
}

static void note_folder(Found *found, const char *path, int error)
{
    found->failed |= error == ENOMEM;
    if (error && error != ENOENT && error != ENOTDIR && found->unread.code == SL_OK)
        sl_fail(&found->unread, SL_IO, "The folder of wildcards %s could not be read: %s",
                sl_show_path(path).text, strerror(error));
}

/* Whether names that begin with inside can match: by what stands before the pattern's first "*". */
static bool may_match(const char *pattern, const char *inside)
{
    size_t n = strcspn(pattern, "*"), m = strlen(inside);
    return !strncmp(pattern, inside, n < m ? n : m);
}

static void look(Found *found, const char *folder, const char *inside, const char *pattern,
                 int depth);

/* A file or folder of this name under folder/inside. */
static void look_at(Found *found, const char *folder, const char *inside, const char *entry,
                    const char *pattern, int depth)
{
    char path[4096], name[4096];
    struct stat st;
    size_t n = strlen(entry);
    if (*entry == '.' || strlen(inside) + n + 2 > sizeof name / 2)
        return;
    snprintf(name, sizeof name, "%s%s%s", inside, *inside ? "/" : "", entry);
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path ||
        stat(path, &st) != 0)
        return;
    if (S_ISDIR(st.st_mode) && depth > 0 && may_match(pattern, name))
        look(found, folder, name, pattern, depth - 1);
    n = strlen(name);
    if (!S_ISREG(st.st_mode) || n < 5 || strcmp(name + n - 4, ".txt"))
        return;
    name[n - 4] = '\0';
    if (matches(pattern, name))
        add_path(found, path);
}

/* Files under folder/inside whose names without ".txt" match. */
static void look(Found *found, const char *folder, const char *inside, const char *pattern,
                 int depth)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/%s", folder, inside);
    DIR *dir = opendir(path);
    if (!dir)
        note_folder(found, path, errno);
    while (dir && !found->failed && !found->many) {
        errno = 0;
        const struct dirent *entry = readdir(dir);
        if (!entry) {
            note_folder(found, path, errno);
            break;
        }
        look_at(found, folder, inside, entry->d_name, pattern, depth);
    }
    if (dir)
        closedir(dir);
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static void find_files(Reader *r, const char *name, Found *found)
{
    char path[4096];
    for (int i = 0; r->folders && r->folders[i] && found->count == 0 && !found->failed; i++) {
        struct stat st;
        if (strchr(name, '*')) {
            look(found, r->folders[i], "", name, 8);
            if (found->count)
                qsort(found->path, (size_t)found->count, sizeof *found->path, by_name);
        } else if (snprintf(path, sizeof path, "%s/%s.txt", r->folders[i], name) <
                       (int)sizeof path &&
                   stat(path, &st) == 0) {
            add_path(found, path);
        }
    }
}

/* A line of a file as an option of the choice. */
static bool read_line(Reader *r, int choice, char *line, const char *file)
{
    while (is_blank(*line))
        line++;
    for (size_t n = strlen(line); n > 0 && is_blank(line[n - 1]);)
        line[--n] = '\0';
    Source s = {.p = line, .begin = line, .file = file};
    if (!*line || *line == '#')
        return true;
    double weight = read_weight(&s);
    int option = read_sequence(r, &s, false);
    return option >= 0 && add_option(r, choice, option, weight);
}

static int compare_lines(const void *a, const void *b)
{
    const char *const *m = a, *const *n = b;
    int order = strcmp(*m, *n);
    return order ? order : (*m > *n) - (*m < *n);
}

/* Lines that are there before are made empty. */
static void drop_doubles(char **line, int count)
{
    char **sorted = malloc((size_t)count * sizeof *sorted);
    if (!sorted)
        return;
    memcpy(sorted, line, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, compare_lines);
    for (int i = 1, first = 0; i < count; i++)
        if (!strcmp(sorted[first], sorted[i]))
            *sorted[i] = '\0';
        else
            first = i;
    free(sorted);
}

static bool read_lines(Reader *r, int choice, char *text, const char *file)
{
    int count = 1, i = 0;
    for (const char *p = text; *p; p++)
        count += *p == '\n';
    char **line = malloc((size_t)count * sizeof *line);
    if (!line)
        return no_memory(r) >= 0;
    for (char *p = text; i < count; i++) {
        line[i] = p;
        p += strcspn(p, "\n");
        if (*p)
            *p++ = '\0';
        for (size_t n = strlen(line[i]); n > 0 && is_blank(line[i][n - 1]);)
            line[i][--n] = '\0';
    }
    drop_doubles(line, count);
    bool ok = true;
    for (i = 0; ok && i < count; i++)
        ok = read_line(r, choice, line[i], file);
    free(line);
    return ok;
}

static bool read_file(Reader *r, int choice, const char *path)
{
    size_t bytes;
    SlError problem = {0};
    uint8_t *data = sl_read_file(path, MAX_FILE, &bytes, &problem);
    char *text = data ? malloc(bytes + 1) : NULL;
    bool ok = text != NULL;
    if (!data)
        sl_fail(r->err, problem.code, "The wildcard file %s: %s", path, problem.message);
    else if (!text)
        no_memory(r);
    if (ok) {
        bool bom = bytes >= 3 && !memcmp(data, "\xEF\xBB\xBF", 3);
        memcpy(text, data + (bom ? 3 : 0), bytes - (bom ? 3 : 0));
        text[bytes - (bom ? 3 : 0)] = '\0';
        ok =
            (sl_utf8_valid(text, bytes - (bom ? 3 : 0)) && strlen(text) == bytes - (bom ? 3 : 0)) ||
            sl_fail(r->err, SL_FORMAT, "The wildcard file %s is not UTF-8 text", path);
    }
    ok = ok && read_lines(r, choice, text, path);
    free(text);
    free(data);
    return ok;
}

static bool fail_missing(Reader *r, const char *name)
{
    SlText places = {0};
    for (int i = 0; r->folders && r->folders[i]; i++)
        sl_text_addf(&places, "%s%s", i ? ", " : "", r->folders[i]);
    sl_fail(r->err, SL_IO,
            "There is no wildcard file for __%.100s__; %.100s.txt was looked for in %s", name, name,
            places.data ? places.data : sl_words("no folder"));
    sl_text_free(&places);
    return false;
}

/* The lines of a wildcard's files as a choice. */
static int read_named(Reader *r, Wildcard *w)
{
    Found found = {0};
    int choice = add_node(r, NODE_CHOICE), stars = 0;
    bool ok = choice >= 0;
    if (ok)
        r->t->node[choice].wildcard = true;
    for (const char *p = w->name; *p; p++)
        stars += *p == '*';
    if (ok && stars > MAX_STARS)
        ok = sl_fail(r->err, SL_ARGUMENT, "The wildcard __%.100s__ has more than %d stars", w->name,
                     MAX_STARS);
    if (ok && (*w->name == '/' || strstr(w->name, "..")))
        ok = sl_fail(r->err, SL_ARGUMENT,
                     "The wildcard __%.100s__ leads out of the folder of wildcards", w->name);
    if (ok)
        find_files(r, w->name, &found);
    if (ok && found.failed)
        ok = no_memory(r) >= 0;
    if (ok && found.many)
        ok = sl_fail(r->err, SL_ARGUMENT, "The wildcard __%.100s__ names more than %d files",
                     w->name, MAX_FILES);
    if (ok && found.unread.code != SL_OK)
        ok = sl_fail(r->err, found.unread.code, "%s", found.unread.message);
    ok = ok && (found.count || fail_missing(r, w->name));
    for (int i = 0; ok && i < found.count; i++)
        ok = read_file(r, choice, found.path[i]);
    if (ok && r->t->node[choice].children == 0)
        ok = sl_fail(r->err, SL_FORMAT, "The wildcard file %s has no lines", found.path[0]);
    for (int i = 0; i < found.count; i++)
        free(found.path[i]);
    free(found.path);
    return ok ? choice : -1;
}

static int read_wildcard(Reader *r, Source *s)
{
    size_t n = wildcard_name(s->p);
    char *name = sl_copy_bytes(s->p + 2, n);
    Wildcard *w = r->wildcards;
    s->p += n + 4;
    if (!name)
        return no_memory(r);
    if (strchr("@~!", *name)) {
        sl_fail(r->err, SL_ARGUMENT,
                "%s has \"__%.30s__\"; wildcards with @, ~ or ! are not known here", whose(s),
                name);
        free(name);
        return -1;
    }
    while (w && strcmp(w->name, name))
        w = w->next;
    if (w) {
        free(name);
        if (w->node < 0)
            sl_fail(r->err, SL_ARGUMENT,
                    "%s names __%.100s__, which is being read: it would never end", whose(s),
                    w->name);
        return w->node;
    }
    w = calloc(1, sizeof *w);
    if (!w) {
        free(name);
        return no_memory(r);
    }
    *w = (Wildcard){.next = r->wildcards, .name = name, .node = -1};
    r->wildcards = w;
    w->node = deeper(r, s) < 0 ? -1 : read_named(r, w);
    r->depth--;
    return w->node;
}

/* ---- counting ---- */

/* of[k]: in how many ways k of the choice's options can be picked, each with what it stands for, but for the
 * order; without the option `without` and those of `used`. */
static void ways(const SlTemplate *t, const Node *n, const bool *used, int most, double *of)
{
    memset(of, 0, ((size_t)most + 1) * sizeof *of);
    of[0] = 1;
    for (int i = 0; i < n->children; i++)
        for (int k = used && used[i] ? 0 : most; k > 0; k--)
            of[k] += of[k - 1] * t->node[n->child[i]].count;
}

static double factorial(int n)
{
    return tgamma(n + 1.0);
}

/* How many are picked at most: not more than there are. */
static int most_of(const Node *n)
{
    return n->max < n->children ? n->max : n->children;
}

static int least_of(const Node *n)
{
    return n->min < n->children ? n->min : n->children;
}

static void count_node(SlTemplate *t, Node *n)
{
    double of[MAX_PICKED + 1];
    n->count = n->kind == NODE_CHOICE ? 0 : 1;
    for (int i = 0; n->kind == NODE_SEQUENCE && i < n->children; i++)
        n->count *= t->node[n->child[i]].count;
    if (n->kind != NODE_CHOICE)
        return;
    ways(t, n, NULL, most_of(n), of);
    for (int k = least_of(n); k <= most_of(n); k++)
        n->count += of[k] * factorial(k);
}

/* Children are counted before those that hold them. */
static void count_from(SlTemplate *t, int node)
{
    Node *n = &t->node[node];
    if (n->count > 0)
        return;
    for (int i = 0; i < n->children; i++)
        count_from(t, n->child[i]);
    count_node(t, n);
}

SlTemplate *sl_template_read(const char *text, const char *const *folders, SlError *err)
{
    Reader r = {.t = calloc(1, sizeof *r.t), .folders = folders, .err = err};
    Source s = {.p = text, .begin = text};
    bool ok = r.t || no_memory(&r) >= 0;
    if (ok && strlen(text) > MAX_TEXT)
        ok = sl_fail(err, SL_ARGUMENT, "The prompt's template has %zu bytes; at most %zu are read",
                     strlen(text), MAX_TEXT);
    ok = ok && (sl_utf8_valid(text, strlen(text)) ||
                sl_fail(err, SL_FORMAT, "The prompt's template is not valid UTF-8"));
    if (ok)
        ok = (r.t->root = read_sequence(&r, &s, false)) >= 0;
    for (Wildcard *w = r.wildcards, *next; w; w = next) {
        next = w->next;
        free(w->name);
        free(w);
    }
    if (!ok) {
        sl_template_free(r.t);
        return NULL;
    }
    count_from(r.t, r.t->root);
    return r.t;
}

void sl_template_free(SlTemplate *t)
{
    for (int i = 0; t && i < t->nodes; i++) {
        free(t->node[i].text);
        free(t->node[i].child);
        free(t->node[i].weight);
    }
    if (t)
        free(t->node);
    free(t);
}

bool sl_template_has_choices(const char *text)
{
    for (const char *p = text ? text : ""; *p; p++) {
        if (*p == '\\' && p[1])
            p++;
        else if ((*p == '{' && strchr(p, '}')) || is_wildcard(p))
            return true;
    }
    return false;
}

double sl_template_count(const SlTemplate *t)
{
    return t->node[t->root].count;
}

/* ---- making prompts ---- */

/* Where the choices come from: a number that is taken apart, or random numbers. */
typedef struct Chooser {
    const SlTemplate *t;
    bool draws;
    uint64_t state;
    SlText out;
    int made; /* nodes */
} Chooser;

static void make(Chooser *c, int node, double number);

/* splitmix64: 0 to below 1. */
static double next_random(Chooser *c)
{
    uint64_t z = c->state += 0x9E3779B97F4A7C15u;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return (double)((z ^ (z >> 31)) >> 11) * 0x1p-53;
}

/* An option that is not used yet, the more often the larger its weight. */
static int draw_option(Chooser *c, const Node *n, const bool *used)
{
    double sum = 0;
    int last = -1;
    for (int i = 0; i < n->children; i++)
        sum += used[i] ? 0 : n->weight[i];
    double at = next_random(c) * sum;
    for (int i = 0; i < n->children; i++) {
        if (used[i] || (sum > 0 && n->weight[i] == 0))
            continue;
        last = i;
        at -= n->weight[i];
        if (at < 0)
            break;
    }
    return last;
}

static void draw_choice(Chooser *c, const Node *n, bool *used)
{
    int least = least_of(n), most = most_of(n);
    int picked = least + (most > least ? (int)(next_random(c) * (most - least + 1)) : 0);
    for (int k = 0; k < picked; k++) {
        int i = draw_option(c, n, used);
        if (i < 0)
            return;
        used[i] = true;
        sl_text_add(&c->out, k ? n->text : "");
        make(c, n->child[i], 0);
    }
}

/* Number `number` of the choice: fewest first, then by the first option, what it stands for, and the rest. */
static void make_choice(Chooser *c, const Node *n, bool *used, double number)
{
    double of[MAX_PICKED + 1];
    int left = least_of(n);
    ways(c->t, n, NULL, most_of(n), of);
    while (left < most_of(n) && number >= of[left] * factorial(left))
        number -= of[left] * factorial(left), left++;
    for (int k = 0; left > 0; k++, left--) {
        int i = 0;
        double each = 0;
        for (; i < n->children; i++) {
            if (used[i])
                continue;
            used[i] = true;
            ways(c->t, n, used, left - 1, of);
            each = of[left - 1] * factorial(left - 1);
            double all = each * c->t->node[n->child[i]].count;
            if (number < all)
                break;
            number -= all;
            used[i] = false;
        }
        if (i == n->children)
            return;
        sl_text_add(&c->out, k ? n->text : "");
        make(c, n->child[i], floor(number / each));
        number = fmod(number, each);
    }
}

/* The first parts change slowest. */
static void make_sequence(Chooser *c, const Node *n, double number)
{
    double rest = n->count;
    for (int i = 0; i < n->children; i++) {
        rest /= c->t->node[n->child[i]].count;
        make(c, n->child[i], c->draws ? 0 : floor(number / rest));
        number = c->draws ? 0 : fmod(number, rest);
    }
}

static void make(Chooser *c, int node, double number)
{
    const Node *n = &c->t->node[node];
    if (c->out.failed || c->out.length > MAX_TEXT || ++c->made > MAX_MAKING)
        return;
    if (n->kind == NODE_TEXT)
        sl_text_add(&c->out, n->text);
    else if (n->kind == NODE_SEQUENCE)
        make_sequence(c, n, number);
    if (n->kind != NODE_CHOICE)
        return;
    bool *used = calloc((size_t)n->children + 1, sizeof *used);
    c->out.failed |= !used;
    if (used && c->draws)
        draw_choice(c, n, used);
    else if (used)
        make_choice(c, n, used, number);
    free(used);
}

static char *made(Chooser *c, SlError *err)
{
    if (c->out.length > MAX_TEXT || c->made > MAX_MAKING) {
        sl_fail(err, SL_ARGUMENT, "The template gives a prompt of more than %zu bytes or %d parts",
                MAX_TEXT, MAX_MAKING);
        sl_text_free(&c->out);
        return NULL;
    }
    char *text = c->out.failed ? NULL : sl_text_take(&c->out);
    if (!text)
        sl_fail(err, SL_MEMORY, "Out of memory while a template was made into a prompt");
    sl_text_free(&c->out);
    return text;
}

char *sl_template_nth(const SlTemplate *t, uint64_t n, SlError *err)
{
    Chooser c = {.t = t};
    sl_text_add(&c.out, "");
    make(&c, t->root, (double)n);
    return made(&c, err);
}

char *sl_template_draw(const SlTemplate *t, uint64_t seed, uint64_t stream, SlError *err)
{
    Chooser c = {.t = t, .draws = true, .state = seed ^ (stream * 0xD1342543DE82EF95u)};
    sl_text_add(&c.out, "");
    make(&c, t->root, 0);
    return made(&c, err);
}

/* ---- all of them ---- */

static bool is_there(const SlTemplatePair *pairs, int count, const SlTemplatePair *pair)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(pairs[i].prompt, pair->prompt) && !strcmp(pairs[i].negative, pair->negative))
            return true;
    return false;
}

SlTemplatePair *sl_template_all(const SlTemplate *prompt, const SlTemplate *negative, int *count,
                                SlError *err)
{
    double a = sl_template_count(prompt), b = sl_template_count(negative);
    *count = 0;
    if (!(a * b <= SL_TEMPLATE_MAX_ALL)) {
        sl_fail(err, SL_ARGUMENT,
                "The template stands for %.6g prompts; at most %d are made at once", a * b,
                SL_TEMPLATE_MAX_ALL);
        return NULL;
    }
    SlTemplatePair *pairs = calloc((size_t)(a * b) + 1, sizeof *pairs);
    if (!pairs)
        sl_fail(err, SL_MEMORY, "Out of memory while a template was made into prompts");
    for (int i = 0; pairs && i < (int)(a * b); i++) {
        SlTemplatePair pair = {.prompt = sl_template_nth(prompt, (uint64_t)(i / (int)b), err)};
        if (pair.prompt)
            pair.negative = sl_template_nth(negative, (uint64_t)(i % (int)b), err);
        bool ok = pair.prompt && pair.negative, known = ok && is_there(pairs, *count, &pair);
        if (ok && !known)
            pairs[(*count)++] = pair;
        if (!ok || known) {
            free(pair.prompt);
            free(pair.negative);
        }
        if (!ok) {
            sl_template_pairs_free(pairs, *count);
            return NULL;
        }
    }
    return pairs;
}

void sl_template_pairs_free(SlTemplatePair *pairs, int count)
{
    for (int i = 0; pairs && i < count; i++) {
        free(pairs[i].prompt);
        free(pairs[i].negative);
    }
    free(pairs);
}
