// The only C++ of the house: the Verilated engine behind the C calls of shim.h. It is compiled together with
// the model at run time (sim_model.c). The cycle loop stands here, so that nothing but events leaves it.

#include "shim.h"

#include "Vlac_engine.h"
#include "verilated.h"
#include "verilated_fst_c.h"

#include <cstring>

double sc_time_stamp() {
    return 0;
}

namespace {

struct Engine {
    VerilatedContext context;
    Vlac_engine *top;

    Engine() {
        context.traceEverOn(true);
        top = new Vlac_engine(&context);
        top->clk_i = 0;
        top->eval();
    }
    ~Engine() { delete top; }
};

// Inputs are set before the rising edge; outputs read after it are those of the next cycle.
inline void tick(Vlac_engine *top) {
    top->clk_i = 1;
    top->eval();
    top->clk_i = 0;
    top->eval();
}

// Says yes with a chance of percent; xorshift64*.
struct Dice {
    uint64_t state;
    uint32_t threshold;

    Dice(uint64_t seed, int percent)
        : state(seed * 0x9E3779B97F4A7C15u + 1),
          threshold(seed ? static_cast<uint32_t>(percent * 0xFFFFFFFFull / 100) : 0) {}
    bool roll() {
        if (threshold == 0) return false;
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        return static_cast<uint32_t>(state * 0x2545F4914F6CDD1Du >> 32) < threshold;
    }
};

void *engine_open() {
    return new Engine;
}
void engine_close(void *engine) {
    delete static_cast<Engine *>(engine);
}

void engine_reset(void *engine) {
    Vlac_engine *top = static_cast<Engine *>(engine)->top;
    top->rst_ni = 0;
    top->prog_valid_i = 0;
    top->load_valid_i = 0;
    top->out_ready_i = 0;
    for (int i = 0; i < 4; i++) tick(top);
    top->rst_ni = 1;
    tick(top);
}

uint32_t engine_contract(void *engine) {
    return static_cast<Engine *>(engine)->top->contract_o;
}

void engine_load(void *engine, uint32_t address, uint32_t group, const uint8_t *codes) {
    Vlac_engine *top = static_cast<Engine *>(engine)->top;
    top->load_valid_i = 1;
    top->load_addr_i = static_cast<SData>(address);
    top->load_group_i = static_cast<SData>(group);
    // Ports of any width are little-endian words, on the machines that Verilator's own code assumes.
    std::memcpy(&top->load_data_i, codes, LAC_SHIM_DRAIN);
    tick(top);
    top->load_valid_i = 0;
}

class Waves {
  public:
    Waves(Vlac_engine *top, const lac_shim_run *run) : run_(run) {
        if (!run->trace_path) return;
        top->trace(&file_, 99);
        file_.open(run->trace_path);
    }
    ~Waves() {
        if (run_->trace_path) file_.close();
    }
    void dump(uint64_t cycle, int half) {
        if (run_->trace_begin <= cycle && cycle < run_->trace_end) file_.dump(2 * cycle + half);
    }

  private:
    const lac_shim_run *run_;
    VerilatedFstC file_;
};

template <bool traced> lac_shim_stop run_loop(Vlac_engine *top, lac_shim_run *run, Waves *waves) {
    Dice program_dice(run->seed, run->program_percent),
        output_dice(run->seed ^ 0x5bd1e995u, run->output_percent);
    uint8_t codes[LAC_SHIM_DRAIN];
    uint64_t cycle = 0, moved = 0;
    size_t word = 0, results = 0;
    lac_shim_stop stop = LAC_SHIM_DONE;

    for (;; cycle++) {
        // A word once offered stays offered until it is taken.
        bool offered = top->prog_valid_i;
        if (!offered && word < run->n_words && !program_dice.roll()) {
            top->prog_valid_i = 1;
            top->prog_data_i = run->program[word];
        }
        bool word_goes = top->prog_valid_i && top->prog_ready_o;
        top->out_ready_i = !output_dice.roll();
        if (top->out_valid_o && top->out_ready_i) {
            if (results == run->n_out) {
                stop = LAC_SHIM_TOO_MANY;
                break;
            }
            run->out[results++] = static_cast<int32_t>(top->out_data_o);
            moved = cycle;
        }
        if (traced) {
            top->clk_i = 1;
            top->eval();
            waves->dump(cycle, 0);
            top->clk_i = 0;
            top->eval();
            waves->dump(cycle, 1);
        } else {
            tick(top);
        }
        if (word_goes) {
            word++;
            moved = cycle;
            if (word < run->n_words && !program_dice.roll())
                top->prog_data_i = run->program[word];
            else
                top->prog_valid_i = 0;
        }
        if (top->watch_write_o) {
            moved = cycle;
            if (run->write) {
                std::memcpy(codes, &top->watch_data_o, LAC_SHIM_DRAIN);
                run->write(run->ctx, cycle, top->watch_addr_o, top->watch_group_o, codes);
            }
        }
        if (top->watch_step_done_o && run->step_done) {
            run->step_done(run->ctx, cycle, top->watch_step_o, top->cycles_compute_o, top->cycles_starved_o,
                           top->cycles_drain_o, top->cycles_other_o);
        }
        if (top->done_o) {
            if (top->busy_o || word < run->n_words) stop = LAC_SHIM_LEFT_OVER;
            break;
        }
        if (top->error_o) {
            stop = LAC_SHIM_ERROR;
            break;
        }
        if (cycle - moved >= run->patience) {
            stop = LAC_SHIM_NO_PROGRESS;
            break;
        }
    }
    top->prog_valid_i = 0;
    run->cycles = cycle + 1;
    run->words_taken = word;
    run->results = results;
    run->step = top->watch_step_o;
    return stop;
}

lac_shim_stop engine_run(void *engine, lac_shim_run *run) {
    Vlac_engine *top = static_cast<Engine *>(engine)->top;
    if (!run->trace_path) return run_loop<false>(top, run, nullptr);
    Waves waves(top, run);
    return run_loop<true>(top, run, &waves);
}

const lac_shim_calls calls = {LAC_SHIM_VERSION, engine_open, engine_close, engine_reset,
                              engine_contract,  engine_load, engine_run};

} // namespace

extern "C" __attribute__((visibility("default"))) const lac_shim_calls *lac_shim(void) {
    return &calls;
}
