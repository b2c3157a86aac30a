#include "onnx_reader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define ATTR_TYPE(name) ONNX__ATTRIBUTE_PROTO__ATTRIBUTE_TYPE__##name

// "[1, 2]" and the like, cut to fit.
static void print_attr(const Onnx__AttributeProto *a, char text[80]) {
    if (a->has_i) {
        snprintf(text, 80, "%" PRId64, a->i);
    } else if (a->has_f) {
        snprintf(text, 80, "%g", (double)a->f);
    } else if (a->has_s) {
        snprintf(text, 80, "\"%.*s\"", (int)(a->s.len < 60 ? a->s.len : 60), (const char *)a->s.data);
    } else if (a->n_ints || a->n_floats) {
        size_t n = a->n_ints ? a->n_ints : a->n_floats, used = 0;
        for (size_t i = 0; i < n && used < 50; i++) {
            const char *before = i ? ", " : "[";
            int wrote = a->n_ints ? snprintf(text + used, 80 - used, "%s%" PRId64, before, a->ints[i])
                                  : snprintf(text + used, 80 - used, "%s%g", before, (double)a->floats[i]);
            used += (size_t)wrote;
        }
        if (used < 76) snprintf(text + used, 80 - used, used < 50 ? "]" : ", ...]");
    } else {
        snprintf(text, 80, "of another kind");
    }
}

lac_status onnx_attr_find(onnx_node *node, const char *name, int type, const Onnx__AttributeProto **out) {
    *out = NULL;
    for (size_t i = 0; i < node->proto->n_attribute; i++) {
        const Onnx__AttributeProto *a = node->proto->attribute[i];
        if (!a->name || strcmp(a->name, name) != 0) continue;
        char text[80];
        print_attr(a, text);
        if (*out) ONNX_FAIL(node, LAC_E_FORMAT, "attribute '%s' is there twice, once as %s", name, text);
        if ((int)a->type != type)
            ONNX_FAIL(node, LAC_E_FORMAT, "attribute '%s' is %s, of type %d; the standard says type %d", name,
                      text, (int)a->type, type);
        node->used |= (uint64_t)1 << i;
        *out = a;
    }
    return LAC_OK;
}

lac_status onnx_attr_int(onnx_node *node, const char *name, int64_t fallback, int64_t *out) {
    const Onnx__AttributeProto *a;
    LAC_TRY(onnx_attr_find(node, name, ATTR_TYPE(INT), &a));
    *out = a ? a->i : fallback;
    return LAC_OK;
}

lac_status onnx_attr_float(onnx_node *node, const char *name, float fallback, float *out) {
    const Onnx__AttributeProto *a;
    LAC_TRY(onnx_attr_find(node, name, ATTR_TYPE(FLOAT), &a));
    *out = a ? a->f : fallback;
    return LAC_OK;
}

lac_status onnx_attr_string(onnx_node *node, const char *name, const char *fallback, const char **out) {
    const Onnx__AttributeProto *a;
    LAC_TRY(onnx_attr_find(node, name, ATTR_TYPE(STRING), &a));
    *out = fallback;
    if (!a) return LAC_OK;
    char *text = lac_arena_alloc(node->r->scratch, a->s.len + 1);
    if (a->s.len) memcpy(text, a->s.data, a->s.len);
    *out = text;
    return LAC_OK;
}

lac_status onnx_attr_ints(onnx_node *node, const char *name, size_t n, int *out, bool *found) {
    const Onnx__AttributeProto *a;
    LAC_TRY(onnx_attr_find(node, name, ATTR_TYPE(INTS), &a));
    if (found) *found = a != NULL;
    if (!a) return LAC_OK;
    char text[80];
    print_attr(a, text);
    if (a->n_ints != n)
        ONNX_FAIL(node, LAC_E_UNSUPPORTED, "attribute '%s' is %s: %zu numbers, 2-D needs %zu", name, text,
                  a->n_ints, n);
    for (size_t i = 0; i < n; i++) {
        if (a->ints[i] < 0 || a->ints[i] > LAC_ONNX_MAX_SIDE)
            ONNX_FAIL(node, LAC_E_UNSUPPORTED, "attribute '%s' is %s: supported are 0 to %d", name, text,
                      LAC_ONNX_MAX_SIDE);
        out[i] = (int)a->ints[i];
    }
    return LAC_OK;
}

lac_status onnx_attr_done(const onnx_node *node) {
    for (size_t i = 0; i < node->proto->n_attribute; i++) {
        if (node->used >> i & 1) continue;
        const Onnx__AttributeProto *a = node->proto->attribute[i];
        char text[80];
        print_attr(a, text);
        ONNX_FAIL(node, LAC_E_UNSUPPORTED,
                  "attribute '%.60s' (%s) is not supported; export the model without it, with opset 13",
                  a->name ? a->name : "", text);
    }
    return LAC_OK;
}
