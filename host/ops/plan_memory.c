#define _GNU_SOURCE // MAP_ANONYMOUS, MAP_NORESERVE
#include "planner.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

// The first planning gives every buffer an address of its own in a range that is never touched; the calls'
// arguments then tell when each buffer is in use. The second planning repeats the first with real addresses,
// where buffers that are never in use together may overlap.

enum { ALIGN = 64 };
static const size_t first_range = (size_t)1 << 40; // bytes of address space

static size_t round_up(size_t n) {
    return (n + ALIGN - 1) / ALIGN * ALIGN;
}

static lac_status map(lac_plan *plan, size_t bytes, int protection, lac_error *err) {
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | (protection == PROT_NONE ? MAP_NORESERVE : 0);
    void *base = mmap(NULL, bytes, protection, flags, -1, 0);
    if (base == MAP_FAILED)
        LAC_FAIL(err, LAC_E_MEMORY, "graph '%s': no %zu bytes at batch %d; use a smaller batch",
                 plan->graph->name, bytes, plan->config.batch);
    plan->memory.base = base;
    plan->memory.reserved = bytes;
    return LAC_OK;
}

lac_status lac_plan_memory_reserve(lac_plan *plan, lac_error *err) {
    return map(plan, first_range, PROT_NONE, err);
}

void lac_plan_memory_release(lac_plan_memory *memory) {
    if (memory->base) munmap(memory->base, memory->reserved);
    free(memory->slots);
    *memory = (lac_plan_memory){0};
}

static lac_slot *new_slot(lac_plan_memory *m, size_t bytes) {
    if (m->n == m->capacity) {
        m->capacity = m->capacity ? 2 * m->capacity : 64;
        lac_slot *larger = realloc(m->slots, (size_t)m->capacity * sizeof *larger);
        if (!larger) abort(); // like an arena without memory
        m->slots = larger;
    }
    lac_slot *slot = &m->slots[m->n++];
    *slot = (lac_slot){.bytes = bytes, .offset = m->top_bytes, .first = INT32_MAX, .last = -1};
    m->top_bytes += round_up(bytes ? bytes : 1);
    return slot;
}

void *lac_plan_memory_take(lac_plan *plan, size_t bytes) {
    lac_plan_memory *m = &plan->memory;
    if (m->measured) {
        assert(m->n_placed < m->n && m->slots[m->n_placed].bytes == bytes);
        return m->base + m->slots[m->n_placed++].offset;
    }
    lac_slot *slot = new_slot(m, bytes);
    slot->node = plan->node;
    slot->backward = plan->in_backward;
    slot->pinned = plan->config.keep_all;
    return m->base + slot->offset;
}

// ---- lifetimes ------------------------------------------------------------------------------------------

// The buffer that an address of the first planning is in; NULL: none of the plan's.
static lac_slot *slot_at(lac_plan_memory *m, const void *data) {
    const unsigned char *p = data;
    if (!p || p < m->base || p >= m->base + m->top_bytes) return NULL;
    size_t offset = (size_t)(p - m->base);
    int low = 0, high = m->n - 1;
    while (low < high) {
        int middle = (low + high + 1) / 2;
        if (m->slots[middle].offset <= offset)
            low = middle;
        else
            high = middle - 1;
    }
    return &m->slots[low];
}

static void use(lac_slot *slot, int at) {
    if (!slot) return;
    if (at < slot->first) slot->first = at;
    if (at > slot->last) slot->last = at;
}

static void use_memory(lac_plan_memory *m, const_dnnl_memory_t memory, int at) {
    if (memory) use(slot_at(m, lac_memory_data(memory)), at);
}

static void pin(lac_plan_memory *m, const_dnnl_memory_t memory) {
    lac_slot *slot = memory ? slot_at(m, lac_memory_data(memory)) : NULL;
    if (slot) slot->pinned = true;
}

static void use_tensor(lac_plan *plan, const lac_tensor *t, bool backward, int at) {
    use_memory(&plan->memory, t->data, at);
    if (backward) use_memory(&plan->memory, t->grad, at);
}

// A function of ours says nothing about its buffers: it may use all of its node's.
static void use_node(lac_plan *plan, const lac_node *node, bool backward, int at) {
    lac_plan_memory *m = &plan->memory;
    for (int i = 0; i < m->n; i++)
        if (m->slots[i].node == node && (backward || !m->slots[i].backward)) use(&m->slots[i], at);
    for (int i = -1; i < node->n_in; i++) {
        int v = i < 0 ? node->out : node->in[i];
        use_tensor(plan, &plan->tensors[v], backward, at);
        if (plan->shadows[v]) use_tensor(plan, plan->shadows[v], backward, at);
    }
    const lac_node *relu = lac_plan_fusible_relu(plan, node);
    if (relu) use_tensor(plan, &plan->tensors[relu->out], backward, at);
}

static void use_call(lac_plan *plan, const lac_call *call, bool backward, int at) {
    if (call->run && call->node) use_node(plan, call->node, backward, at);
    for (int a = 0; !call->run && a < call->n_args; a++) use_memory(&plan->memory, call->args[a].memory, at);
}

// What outlives a run: what is computed on refresh, and what callers write or read.
static void pin_all(lac_plan *plan, int n_refresh) {
    lac_plan_memory *m = &plan->memory;
    for (int i = 0; i < m->n; i++)
        if (m->slots[i].first < n_refresh) m->slots[i].pinned = true;
    for (int v = 0; v < plan->graph->n_values; v++) {
        const lac_tensor *t = &plan->tensors[v];
        if (t->constant || v == plan->graph->input || v == plan->graph->output) pin(m, t->data);
        if (t->constant || v == plan->graph->input) pin(m, t->grad);
    }
    pin(m, plan->logits);
    pin(m, plan->logits_grad);
    for (int i = 0; i < plan->config.n_taps; i++) {
        pin(m, plan->taps[i]);
        pin(m, plan->taps_grad[i]);
    }
}

static void find_lifetimes(lac_plan *plan) {
    const lac_call_list *lists[] = {&plan->refresh, &plan->forward, &plan->backward};
    int at = 0;
    for (int l = 0; l < 3; l++)
        for (int i = 0; i < lists[l]->n; i++, at++) use_call(plan, &lists[l]->calls[i], l == 2, at);
    pin_all(plan, plan->refresh.n);
    for (int i = 0; i < plan->memory.n; i++)
        if (plan->memory.slots[i].pinned || plan->memory.slots[i].last < 0) {
            plan->memory.slots[i].first = 0;
            plan->memory.slots[i].last = at;
        }
}

// ---- placement ------------------------------------------------------------------------------------------

static int by_size(const void *a, const void *b) {
    const lac_slot *const *x = a, *const *y = b;
    if ((*x)->bytes != (*y)->bytes) return (*x)->bytes < (*y)->bytes ? 1 : -1;
    return *x < *y ? -1 : 1;
}

static bool overlap(const lac_slot *a, const lac_slot *b) {
    return a->first <= b->last && b->first <= a->last;
}

// The lowest gap that is free during the whole life of a slot; taken: placed slots by offset.
static size_t lowest_gap(const lac_slot *slot, lac_slot *const *taken, int n) {
    size_t at = 0, need = round_up(slot->bytes ? slot->bytes : 1);
    for (int i = 0; i < n; i++) {
        if (!overlap(slot, taken[i])) continue;
        if (taken[i]->offset >= at + need) break;
        size_t end = taken[i]->offset + round_up(taken[i]->bytes ? taken[i]->bytes : 1);
        if (end > at) at = end;
    }
    return at;
}

static void place(lac_plan_memory *m, lac_slot **order) {
    m->top_bytes = 0;
    for (int i = 0; i < m->n; i++) order[i] = &m->slots[i];
    qsort(order, (size_t)m->n, sizeof *order, by_size);
    for (int i = 0; i < m->n; i++) {
        lac_slot *slot = order[i];
        slot->offset = lowest_gap(slot, order, i);
        size_t end = slot->offset + round_up(slot->bytes ? slot->bytes : 1);
        if (end > m->top_bytes) m->top_bytes = end;
        int j = i; // keeps the first i + 1 in order of their offsets
        for (; j > 0 && order[j - 1]->offset > slot->offset; j--) order[j] = order[j - 1];
        order[j] = slot;
    }
}

void lac_plan_memory_measure(lac_plan *plan) {
    lac_plan_memory *m = &plan->memory;
    find_lifetimes(plan);
    place(m, LAC_NEW_ARRAY(plan->arena, lac_slot *, m->n + 1));
    munmap(m->base, m->reserved);
    m->base = NULL;
    m->measured = true;
}

lac_status lac_plan_memory_commit(lac_plan *plan, lac_error *err) {
    LAC_TRY(map(plan, plan->memory.top_bytes + ALIGN, PROT_READ | PROT_WRITE, err));
#ifdef __SANITIZE_ADDRESS__
    memset(plan->memory.base, 0xFF,
           plan->memory.reserved); // NaN: reading what nobody wrote shows in any result
#endif
    return LAC_OK;
}
