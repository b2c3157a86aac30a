#include "gate_select.h"

#include <stdlib.h>

enum {
    NEAR = 48,          ///< at most so many gates on each side of the threshold are tried for an exchange,
    NEAR_SHARE = 8,     ///< and one part in so many of all: scores are to decide, not costs
    MOST_EXCHANGES = 8, ///< each comes nearer to the target
};

static int by_score(const void *a, const void *b) {
    const lac_ranked *x = a, *y = b;
    if (x->score != y->score) return x->score < y->score ? -1 : 1;
    return y->gate - x->gate;
}

void lac_gates_order(const double *score, int n, lac_ranked *order) {
    for (int i = 0; i < n; i++) order[i] = (lac_ranked){score[i], i};
    qsort(order, (size_t)n, sizeof *order, by_score);
}

typedef struct selection {
    const lac_gate_cost *cost;
    const double *score;
    double target, now;      // now: what the open gates cost
    const lac_ranked *order; // the lowest score first
    int n;
    bool *open;
} selection;

// ---- threshold ------------------------------------------------------------------------------------------

static double close_lowest(selection *s, int n_closed) {
    for (int i = 0; i < s->n; i++) s->open[s->order[i].gate] = i >= n_closed;
    lac_gates_keep_one(s->cost->gates, s->score, s->open);
    return s->now = lac_gate_cost_open(s->cost, s->open);
}

static bool find_threshold(selection *s) {
    int low = 0, high = s->n; // so many closed: too dear at low - 1, within at high
    if (close_lowest(s, s->n) > s->target) return false;
    while (low < high) {
        int middle = (low + high) / 2;
        if (close_lowest(s, middle) <= s->target)
            high = middle;
        else
            low = middle + 1;
    }
    close_lowest(s, high);
    return true;
}

// ---- what is left of the budget -------------------------------------------------------------------------

static bool near_enough(const selection *s, double share) {
    return s->now >= s->target * (1 - share);
}

static double cost_with(const selection *s, int gate, bool open) {
    s->open[gate] = open;
    double cost = lac_gate_cost_open(s->cost, s->open);
    s->open[gate] = !open;
    return cost;
}

static void return_some(selection *s) {
    for (int i = s->n - 1; i >= 0 && !near_enough(s, LAC_BUDGET_TOLERANCE / 10); i--) {
        int gate = s->order[i].gate;
        if (s->open[gate]) continue;
        double cost = cost_with(s, gate, true);
        if (cost > s->target) continue;
        s->open[gate] = true;
        s->now = cost;
    }
}

// True when a value has no other open channel than this gate's.
static bool is_last(const selection *s, int gate) {
    const lac_gates *gates = s->cost->gates;
    for (int n = 0; n < gates->graph->n_nodes; n++) {
        int out = gates->graph->nodes[n].out;
        bool mine = false, others = false;
        for (int c = 0; c < gates->channels->n_of[out] && !others; c++) {
            int g = gates->at[out][c];
            mine |= g == gate;
            others |= g != gate && (g < 0 || s->open[g]);
        }
        if (mine && !others) return true;
    }
    return false;
}

// Gates nearest to the threshold: closed ones from the highest score, or open ones from the lowest.
static int nearest(const selection *s, bool open, int *gates) {
    int n = 0, most = s->n / NEAR_SHARE < NEAR ? s->n / NEAR_SHARE + 1 : NEAR;
    for (int i = 0; i < s->n && n < most; i++) {
        int gate = s->order[open ? i : s->n - 1 - i].gate;
        if (s->open[gate] == open && !(open && is_last(s, gate))) gates[n++] = gate;
    }
    return n;
}

// The exchange that comes nearest to the target from below; of those near enough, the first.
static bool exchange(selection *s) {
    int closed[NEAR], opened[NEAR], from = -1, to = -1;
    int n_closed = nearest(s, false, closed), n_opened = nearest(s, true, opened);
    double best = s->now;
    for (int i = 0; i < n_opened && best < s->target * (1 - LAC_BUDGET_TOLERANCE); i++) {
        s->open[opened[i]] = false;
        for (int k = 0; k < n_closed && best < s->target * (1 - LAC_BUDGET_TOLERANCE); k++) {
            double cost = cost_with(s, closed[k], true);
            if (cost > s->target || cost <= best) continue;
            best = cost;
            from = opened[i];
            to = closed[k];
        }
        s->open[opened[i]] = true;
    }
    if (from < 0) return false;
    s->open[from] = false;
    s->open[to] = true;
    s->now = best;
    return true;
}

lac_status lac_gates_select(const lac_gate_cost *cost, const double *score, double target, bool *open,
                            lac_error *err) {
    int n = cost->gates->n;
    lac_arena *scratch = lac_arena_open();
    if (!scratch) LAC_FAIL(err, LAC_E_MEMORY, "no memory to order %d gates", n);
    lac_ranked *order = LAC_NEW_ARRAY(scratch, lac_ranked, n);
    lac_gates_order(score, n, order);
    selection s = {cost, score, target, 0, order, n, open};
    bool possible = find_threshold(&s);
    if (possible) return_some(&s);
    for (int i = 0; possible && i < MOST_EXCHANGES && !near_enough(&s, LAC_BUDGET_TOLERANCE); i++)
        if (!exchange(&s)) break;
    lac_arena_close(scratch);
    if (!possible)
        LAC_FAIL(err, LAC_E_RANGE,
                 "the budget is %.0f, but one channel a layer already costs %.0f; raise the budget", target,
                 s.now);
    return LAC_OK;
}
