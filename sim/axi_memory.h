#ifndef LAC_AXI_MEMORY_H
#define LAC_AXI_MEMORY_H

#include "axi_shim.h"

#include <stdbool.h>
#include <stddef.h>

/// A memory behind an AXI4 port, cycle by cycle: latency, stalls on every channel, errors, hangs. It also
/// checks that the master keeps the protocol: offers hold until they are taken, bursts stay inside 4 KiB,
/// last beats are marked.

/// Channels, as bits.
enum { LAC_AXI_AR = 1, LAC_AXI_R = 2, LAC_AXI_AW = 4, LAC_AXI_W = 8, LAC_AXI_B = 16 };

typedef struct lac_axi_weather {
    uint64_t seed;                 ///< of everything random; 0: full rate, shortest latency
    int stall_percent;             ///< chance that a channel stands still in a cycle
    int latency_low, latency_high; ///< cycles from an accepted burst to its first beat or answer
    uint64_t read_error_at;        ///< this beat (1 is the first) is answered with SLVERR; 0: none
    uint64_t write_error_at;       ///< likewise this write burst
    uint64_t hang_at;              ///< from this cycle of the memory on (1 is the first) ...
    int hang_channels;             ///< ... these channels stand still; 0: none
} lac_axi_weather;

enum { LAC_AXI_MAX_BURSTS = 64 };

typedef struct lac_axi_burst {
    uint64_t address, due;
    int beats, next; ///< next: beats that are done
} lac_axi_burst;

typedef struct lac_axi_queue {
    lac_axi_burst bursts[LAC_AXI_MAX_BURSTS];
    unsigned head, tail;
} lac_axi_queue;

typedef struct lac_axi_memory {
    uint8_t *bytes;
    size_t n_bytes;
    uint64_t base; ///< address of bytes[0]; what is outside is answered with DECERR
    int data_bytes;
    lac_axi_weather weather;
    uint64_t random, cycle, n_read_beats, n_write_bursts, n_written_beats;
    lac_axi_queue reads, writes, answers; ///< writes: accepted, data to come; answers: data are here
    lac_axi_pins last;                    ///< the cycle before, to see whether offers hold
    bool has_last, write_failed;
    char broken[160]; ///< the first rule of the protocol that the master broke; empty: none
} lac_axi_memory;

/// Forgets what is in flight, as a reset does; bytes, weather and counts stay.
void lac_axi_memory_reset(lac_axi_memory *memory);
/// Sets the memory's pins for a cycle.
void lac_axi_memory_drive(lac_axi_memory *memory, lac_axi_pins *pins);
/// Takes what has happened in the cycle.
void lac_axi_memory_see(lac_axi_memory *memory, const lac_axi_pins *pins);

#endif
