#ifndef LAC_PROGRAM_SURVEY_H
#define LAC_PROGRAM_SURVEY_H

#include "image.h"
#include "record.h"
#include "step_cost.h"

/// What the program of an image says about its steps. The image was parsed, so its program is sound.

typedef struct lac_step_survey {
    lac_layer_record record;
    lac_channel_work *work; ///< [N_OUT]; of one copy of the list
    size_t first_word;      ///< of the layer record in the program
    size_t first_list_word; ///< first word of the first channel that has an entry; 0 when no channel has
} lac_step_survey;

/// memory  [n_steps] from arena
lac_step_survey *lac_image_survey(const lac_image *image, lac_arena *arena);

/// Layer record of a step.
lac_layer_record lac_image_record(const lac_image *image, int step);

#endif
