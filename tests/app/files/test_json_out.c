/* test_json_out.c - JSON that is put together is whole or not there, whichever allocation fails. */
#include "app/files/files.h"
#include "test.h"

#include <cjson/cJSON.h>
#include <string.h>

static int left; /* allocations that are given; below 0: all */

static void *give(size_t bytes)
{
    return left == 0 ? NULL : (left -= left > 0, malloc(bytes));
}

static char *put_together(void)
{
    static const double row[] = {1, 0.1, 1e300};
    SlJsonOut out = {0}, inner_out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL), *list = sl_out_array(&out, root, "list");
    cJSON *inner = sl_out_object(&inner_out, NULL, NULL);
    sl_out_text(&inner_out, inner, "said", "so");
    sl_out_number(&out, list, NULL, 7);
    sl_out_row(&out, list, NULL, row, 3);
    sl_out_row(&out, list, NULL, row, 0);
    sl_out_lines(&out, root, "lines", "one\ntwo");
    sl_out_lines(&out, root, "none", NULL);
    sl_out_u64(&out, root, "small", 5);
    sl_out_u64(&out, root, "large", UINT64_MAX);
    sl_out_bool(&out, root, "yes", true);
    sl_out_null(&out, root, "nothing");
    sl_out_item(&out, root, "inner", sl_out_end(&inner_out, inner));
    return sl_out_end_text(&out, root);
}

int main(void)
{
    static const char *const expected =
        "{\"list\":[7,[1,0.1,1e+300],[]],\"lines\":[\"one\",\"two\"],\"none\":[],\"small\":5,"
        "\"large\":\"18446744073709551615\",\"yes\":true,\"nothing\":null,"
        "\"inner\":{\"said\":\"so\"}}";
    cJSON_Hooks hooks = {.malloc_fn = give, .free_fn = free};
    int refused = 0, other = 0;
    cJSON_InitHooks(&hooks);
    left = -1;
    char *whole = put_together();
    sl_test(whole && strcmp(whole, expected) == 0, "all kinds of members: %s", whole);
    for (int i = 0; i < 60; i++) {
        left = i;
        char *text = put_together();
        refused += text == NULL;
        other += text && strcmp(text, expected) != 0;
        free(text);
    }
    sl_test(refused > 20 && refused < 60 && other == 0,
            "without memory at some point: not there (%d), never less (%d)", refused, other);
    SlJsonOut out = {0};
    cJSON *root = sl_out_object(&out, NULL, NULL);
    left = -1;
    sl_out_text(&out, root, "member", NULL);
    sl_test(sl_out_end(&out, root) == NULL, "a text that is not there is a failure");
    free(whole);
    return sl_test_done();
}
