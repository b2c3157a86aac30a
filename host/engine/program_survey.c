#include "program_survey.h"

#include "program_reader.h"

#include <assert.h>

/// The program of a parsed image cannot fail to be read.
static void must(lac_status status) {
    assert(status == LAC_OK);
    (void)status;
}

static lac_channel_work read_work(lac_program_reader *reader) {
    lac_channel_record channel;
    lac_channel_work work = {0};
    must(lac_program_next_channel(reader, &channel, NULL));
    size_t first = reader->at;
    lac_program_item item;
    do {
        must(lac_program_next_item(reader, &item, NULL));
        work.n_entries += item.kind == LAC_ITEM_ENTRY;
        work.n_nulls += item.kind == LAC_ITEM_NULL;
        work.n_skips += item.kind == LAC_ITEM_SKIP;
    } while (item.kind != LAC_ITEM_END);
    work.n_words = (uint32_t)((reader->at - first) / (size_t)(reader->n_copies + 1));
    return work;
}

/// Reads the next step; work NULL: only its record counts.
static void read_step(lac_program_reader *reader, lac_step_survey *survey) {
    bool end;
    survey->first_word = reader->at;
    must(lac_program_next_layer(reader, &end, NULL));
    survey->record = reader->layer;
    survey->first_list_word = 0;
}

/// Words belong to the channel whose header came last; those before the first header to the first.
static void read_vector(lac_program_reader *reader, lac_step_survey *survey) {
    int n_slots = lac_entry_slots(survey->record.ENTRY_BITS), channel = -1;
    lac_vector_piece piece;
    for (;;) {
        size_t word = reader->at;
        must(lac_program_next_piece(reader, &piece, NULL));
        if (piece.kind == LAC_PIECE_END) return;
        if (piece.kind == LAC_PIECE_HEADER) {
            channel++;
            continue;
        }
        lac_channel_work work = {.n_words = 1};
        for (int k = 0; piece.kind == LAC_PIECE_WORD && k < n_slots; k++) {
            work.n_entries += piece.entries[k].weight != 0;
            work.n_skips += piece.entries[k].weight == 0;
        }
        if (work.n_entries && !survey->first_list_word) survey->first_list_word = word;
        if (!survey->work) continue;
        lac_channel_work *sum = &survey->work[channel < 0 ? 0 : channel];
        sum->n_words++;
        sum->n_entries += work.n_entries;
        sum->n_skips += work.n_skips;
    }
}

static void read_channels(lac_program_reader *reader, lac_step_survey *survey) {
    if (survey->record.ORDER == LAC_ORDER_VECTOR) {
        read_vector(reader, survey);
        return;
    }
    for (int o = 0; o < survey->record.N_OUT; o++) {
        size_t list = reader->at + 1;
        lac_channel_work work = read_work(reader);
        if (work.n_entries && !survey->first_list_word) survey->first_list_word = list;
        if (survey->work) survey->work[o] = work;
    }
}

lac_step_survey *lac_image_survey(const lac_image *image, lac_arena *arena) {
    lac_program_reader reader = lac_program_read(&image->engine, image->program, image->n_program);
    lac_step_survey *surveys = LAC_NEW_ARRAY(arena, lac_step_survey, image->n_steps);
    for (int s = 0; s < image->n_steps; s++) {
        read_step(&reader, &surveys[s]);
        surveys[s].work = LAC_NEW_ARRAY(arena, lac_channel_work, surveys[s].record.N_OUT);
        read_channels(&reader, &surveys[s]);
    }
    return surveys;
}

lac_layer_record lac_image_record(const lac_image *image, int step) {
    lac_program_reader reader = lac_program_read(&image->engine, image->program, image->n_program);
    lac_step_survey survey = {.work = NULL};
    read_step(&reader, &survey);
    for (int s = 0; s < step; s++) {
        read_channels(&reader, &survey);
        read_step(&reader, &survey);
    }
    return survey.record;
}
