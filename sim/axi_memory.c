#include "axi_memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { OKAY = 0, SLVERR = 2, DECERR = 3, PAGE_BYTES = 4096 };

static uint32_t roll(lac_axi_memory *memory) {
    uint64_t x = memory->random;
    x ^= x >> 12;
    x ^= x << 25;
    x ^= x >> 27;
    memory->random = x;
    return (uint32_t)(x * 0x2545F4914F6CDD1Du >> 32);
}

static bool stalls(lac_axi_memory *memory, int channel) {
    const lac_axi_weather *w = &memory->weather;
    if ((w->hang_channels & channel) && w->hang_at && memory->cycle + 1 >= w->hang_at) return true;
    if (!w->seed || !w->stall_percent) return false;
    return roll(memory) % 100 < (uint32_t)w->stall_percent;
}

static uint64_t latency(lac_axi_memory *memory) {
    const lac_axi_weather *w = &memory->weather;
    if (!w->seed || w->latency_high <= w->latency_low) return (uint64_t)w->latency_low;
    return (uint64_t)w->latency_low + roll(memory) % (uint32_t)(w->latency_high - w->latency_low + 1);
}

static unsigned queued(const lac_axi_queue *q) {
    return q->tail - q->head;
}
static lac_axi_burst *front(lac_axi_queue *q) {
    return &q->bursts[q->head % LAC_AXI_MAX_BURSTS];
}
static void append(lac_axi_queue *q, lac_axi_burst burst) {
    q->bursts[q->tail++ % LAC_AXI_MAX_BURSTS] = burst;
}

void lac_axi_memory_reset(lac_axi_memory *memory) {
    memory->reads = memory->writes = memory->answers = (lac_axi_queue){.head = 0};
    memory->has_last = memory->write_failed = false;
    memory->random = memory->weather.seed * 0x9E3779B97F4A7C15u + 1;
}

/// Whether the burst lies in the memory; where it does not, its data are zeros and go nowhere.
static uint8_t *place(lac_axi_memory *memory, const lac_axi_burst *burst, int beat) {
    uint64_t at = burst->address + (uint64_t)beat * (uint64_t)memory->data_bytes - memory->base;
    if (at >= memory->n_bytes || memory->n_bytes - at < (uint64_t)memory->data_bytes) return NULL;
    return memory->bytes + at;
}

void lac_axi_memory_drive(lac_axi_memory *memory, lac_axi_pins *pins) {
    pins->m_arready = queued(&memory->reads) < LAC_AXI_MAX_BURSTS && !stalls(memory, LAC_AXI_AR);
    pins->m_awready = queued(&memory->writes) + queued(&memory->answers) < LAC_AXI_MAX_BURSTS &&
                      !stalls(memory, LAC_AXI_AW);
    pins->m_wready = !stalls(memory, LAC_AXI_W);
    pins->m_rvalid =
        queued(&memory->reads) && front(&memory->reads)->due <= memory->cycle && !stalls(memory, LAC_AXI_R);
    if (pins->m_rvalid) {
        const lac_axi_burst *burst = front(&memory->reads);
        const uint8_t *from = place(memory, burst, burst->next);
        pins->m_rlast = burst->next == burst->beats - 1;
        pins->m_rresp = !from                                                       ? DECERR
                        : memory->n_read_beats + 1 == memory->weather.read_error_at ? SLVERR
                                                                                    : OKAY;
        if (from)
            memcpy(pins->m_rdata, from, (size_t)memory->data_bytes);
        else
            memset(pins->m_rdata, 0, sizeof pins->m_rdata);
    }
    pins->m_bvalid = queued(&memory->answers) && front(&memory->answers)->due <= memory->cycle &&
                     !stalls(memory, LAC_AXI_B);
    if (pins->m_bvalid) {
        const lac_axi_burst *burst = front(&memory->answers);
        bool wrong = memory->n_write_bursts + 1 == memory->weather.write_error_at;
        pins->m_bresp = burst->next < 0 ? DECERR : wrong ? SLVERR : OKAY;
    }
}

#define BROKEN(...)                                                                                          \
    do {                                                                                                     \
        if (!memory->broken[0]) snprintf(memory->broken, sizeof memory->broken, __VA_ARGS__);                \
    } while (0)

static void check_burst(lac_axi_memory *memory, const char *kind, const lac_axi_pins *pins) {
    uint64_t bytes = ((uint64_t)pins->m_len + 1) * (uint64_t)memory->data_bytes;
    if (pins->m_addr % (uint64_t)memory->data_bytes)
        BROKEN("cycle %" PRIu64 ": %s address %" PRIx64 " is not aligned to a beat", memory->cycle, kind,
               pins->m_addr);
    if (pins->m_addr / PAGE_BYTES != (pins->m_addr + bytes - 1) / PAGE_BYTES)
        BROKEN("cycle %" PRIu64 ": %s burst of %" PRIu64 " bytes at %" PRIx64 " crosses 4 KiB", memory->cycle,
               kind, bytes, pins->m_addr);
}

/// An offer that was not taken must still be there, unchanged.
static void check_holds(lac_axi_memory *memory, const lac_axi_pins *pins) {
    const lac_axi_pins *last = &memory->last;
    if (!memory->has_last) return;
    bool same = pins->m_addr == last->m_addr && pins->m_len == last->m_len;
    if (last->m_arvalid && !last->m_arready && !(pins->m_arvalid && same))
        BROKEN("cycle %" PRIu64 ": a read address changed before it was taken", memory->cycle);
    if (last->m_awvalid && !last->m_awready && !(pins->m_awvalid && same))
        BROKEN("cycle %" PRIu64 ": a write address changed before it was taken", memory->cycle);
    if (last->m_wvalid && !last->m_wready &&
        !(pins->m_wvalid && pins->m_wlast == last->m_wlast &&
          memcmp(pins->m_wdata, last->m_wdata, (size_t)memory->data_bytes) == 0))
        BROKEN("cycle %" PRIu64 ": write data changed before they were taken", memory->cycle);
}

static void take_write_beat(lac_axi_memory *memory, const lac_axi_pins *pins) {
    // The data may be ahead of their address by less than a burst; this kernel never is.
    if (!queued(&memory->writes)) {
        BROKEN("cycle %" PRIu64 ": write data without an address", memory->cycle);
        return;
    }
    lac_axi_burst *burst = front(&memory->writes);
    uint8_t *to = place(memory, burst, burst->next);
    if (to)
        memcpy(to, pins->m_wdata, (size_t)memory->data_bytes);
    else
        memory->write_failed = true;
    memory->n_written_beats++;
    burst->next++;
    if (pins->m_wlast != (burst->next == burst->beats))
        BROKEN("cycle %" PRIu64 ": last is %d at beat %d of %d", memory->cycle, pins->m_wlast, burst->next,
               burst->beats);
    if (burst->next < burst->beats) return;
    burst->due = memory->cycle + latency(memory);
    burst->next = memory->write_failed ? -1 : 0;
    memory->write_failed = false;
    append(&memory->answers, *burst);
    memory->writes.head++;
}

void lac_axi_memory_see(lac_axi_memory *memory, const lac_axi_pins *pins) {
    check_holds(memory, pins);
    if (pins->m_rvalid) { // the kernel is always ready for data and answers
        memory->n_read_beats++;
        lac_axi_burst *burst = front(&memory->reads);
        if (++burst->next == burst->beats) memory->reads.head++;
    }
    if (pins->m_bvalid) {
        memory->n_write_bursts++;
        memory->answers.head++;
    }
    lac_axi_burst burst = {.address = pins->m_addr, .beats = pins->m_len + 1};
    if (pins->m_arvalid && pins->m_arready) {
        check_burst(memory, "read", pins);
        burst.due = memory->cycle + latency(memory);
        append(&memory->reads, burst);
    }
    if (pins->m_awvalid && pins->m_awready) {
        check_burst(memory, "write", pins);
        append(&memory->writes, burst);
    }
    if (pins->m_wvalid && pins->m_wready) take_write_beat(memory, pins);
    memory->last = *pins;
    memory->has_last = true;
    memory->cycle++;
}
