#ifndef LAC_TRAIN_H
#define LAC_TRAIN_H

#include "dataset.h"
#include "float_plan.h"
#include "graph.h"
#include "talk.h"

/// Float training and evaluation of a graph, over oneDNN.

typedef enum lac_optimizer { LAC_SGD, LAC_ADAM, LAC_ADAMW } lac_optimizer;
typedef enum lac_schedule { LAC_COSINE, LAC_CONSTANT, LAC_STEP, LAC_ONE_CYCLE } lac_schedule;

/// How to train. Zero means the default in brackets, except where noted.
typedef struct lac_recipe {
    lac_optimizer optimizer; ///< [SGD with Nesterov momentum 0.9]; ADAM, ADAMW: betas 0.9, 0.999; ADAMW
                             ///< decays weights apart from the gradient
    lac_schedule schedule;   ///< [COSINE to 0 over all steps]
    float step_epochs;       ///< STEP: lr shrinks after every so many epochs; [a third of all]
    float step_factor;       ///< STEP: by this; [0.1]
    float epochs;            ///< [10]; fractions are fine
    int batch;               ///< [128]
    float lr;                ///< [0.1 SGD, 1e-3 ADAM]
    float warmup_epochs;     ///< linear warm-up from lr / 10; 0 is none
    float weight_decay; ///< on weights of convolutions and linear layers only, never on batch norms, biases
                        ///< or scales
    float scale_lr;     ///< learning rate of quantizer scales relative to lr; [1]
    float label_smoothing;
    int crop_pad;  ///< pad by so many pixels of value 0 and crop back at random; 0 is none
    bool flip;     ///< horizontal mirror with probability 1/2
    int cutout;    ///< side of a square, anywhere on the image, that is set to the mean; 0 is none
    float erase;   ///< probability that a rectangle of 2 % to a third of the image is filled with noise
    float mixup;   ///< images and labels are mixed in pairs by a share from Beta(mixup, mixup); 0 is none
    float clip;    ///< gradients whose norm over all parameters is larger are scaled down to it; 0 is none
    float ema;     ///< decay of a running average of the weights, which is what is measured and kept;
                   ///< 0 is none
    int patience;  ///< stop after so many epochs without a better validation accuracy; 0 is never
    uint64_t seed; ///< initialisation is not part of training; this seeds order and augmentation
    lac_precision precision; ///< of the training steps; [F32]. Measuring is always F32
    bool freeze_batch_norm;  ///< use and keep the running statistics
    uint32_t settings;       ///< checksum of what a hook does: a checkpoint made with another one is refused
    const char *checkpoint;  ///< path; NULL is none. Written every checkpoint_s seconds, at epoch ends and on
                             ///< stop; removed when done
    float checkpoint_s;      ///< [30]
    const char
        *metrics; ///< path of JSON lines (step, epoch, lr, loss, train and validation accuracy); NULL is none
} lac_recipe;

/// The gradients of a step, seen by a hook.
typedef struct lac_gradients {
    const struct lac_plan *plan;
} lac_gradients;

/// Gradient of a trainable constant, row-major, which the hook may change; NULL when the loss does not depend
/// on it.
float *lac_gradient_of(const lac_gradients *gradients, int value);

/// A value of the student that is pulled towards a value of the teacher. Their maps must be of one size;
/// where the channels differ, a learned 1 x 1 convolution stands between them, which is gone after the
/// training.
typedef struct lac_hint {
    int value, teacher_value;
} lac_hint;

/// Learning from another network on the same images.
///
///   loss = (1 - weight) * CE + weight * T^2 * KL(softmax(teacher / T), softmax(student / T))
///          + hint_weight * sum over hints of the mean of (regressed student - teacher)^2
///
/// source  Hinton, Vinyals, Dean: Distilling the knowledge in a neural network, arXiv 1503.02531;
///         Romero et al.: FitNets, ICLR 2015, section 2.2
typedef struct lac_distillation {
    const lac_graph *teacher; ///< runs on its running statistics and stays as it is
    float weight;             ///< [0.5]
    float temperature;        ///< [4]
    const lac_hint *hints;
    int n_hints;
    float hint_weight; ///< [1]
} lac_distillation;

/// What a caller adds to a training; zero members are none.
typedef struct lac_train_hook {
    /// Called before every optimiser step, so that a method may change masks or parameters; step counts from
    /// 0 to n_steps-1.
    lac_status (*before_step)(void *ctx, lac_graph *graph, uint64_t step, uint64_t n_steps, lac_error *err);
    /// Called between the backward pass and the update.
    lac_status (*after_backward)(void *ctx, lac_graph *graph, const lac_gradients *gradients, uint64_t step,
                                 uint64_t n_steps, lac_error *err);
    void *ctx;
    void *memory;    ///< what the callbacks remember from step to step, plain data: kept in checkpoints
    size_t n_memory; ///< bytes
    const lac_distillation *distillation;
    lac_graph *best; ///< a copy of the graph, which gets the constants of the epoch with the best validation
                     ///< accuracy
} lac_train_hook;

typedef struct lac_train_result {
    double train_loss, validation_loss;
    double validation_accuracy; ///< last epoch, 0..1
    double best_validation_accuracy;
    double epochs, best_epoch; ///< trained; the first with the best validation accuracy, 0 without validation
    bool stopped_early;        ///< by patience
    double seconds, images_per_s;
} lac_train_result;

/// Trains the graph's trainable constants in place by softmax cross-entropy on data->train.
///
/// exact   same graph, recipe, data, machine and thread count: same weights, bit for bit, also across a stop
/// and resume errors  E_SHAPE (data and graph differ), E_INTERRUPTED (checkpoint written: the same call
/// resumes), E_IO
lac_status lac_train(lac_graph *graph, const lac_dataset *data, const lac_recipe *recipe,
                     const lac_train_hook *hook, const lac_talk *talk, lac_train_result *result,
                     lac_error *err) LAC_MUST_CHECK;

typedef struct lac_eval_result {
    double loss, accuracy; ///< accuracy 0..1
    uint32_t n_right, n;
} lac_eval_result;

/// Evaluates on the first `limit` images of a split (0: all), batch norms on running statistics.
lac_status lac_evaluate(const lac_graph *graph, const lac_dataset *data, const lac_split *split,
                        uint32_t limit, const lac_talk *talk, lac_eval_result *result,
                        lac_error *err) LAC_MUST_CHECK;

/// Logits of normalised images x [n][c][h][w] into out [n][classes]; for comparisons with other runtimes and
/// calibration.
lac_status lac_infer(const lac_graph *graph, const float *x, uint32_t n, float *out,
                     lac_error *err) LAC_MUST_CHECK;

/// Runs images and hands every activation value to a visitor, for calibration: data is dense N x C x H x W,
/// f32.
typedef void lac_value_visitor(void *ctx, int value, const float *data, lac_shape shape);
lac_status lac_infer_visit(const lac_graph *graph, const float *x, uint32_t n, lac_value_visitor *visit,
                           void *ctx, lac_error *err) LAC_MUST_CHECK;

/// Normalises pixels of a split as x = (pixel - mean) / std.
void lac_normalize(const lac_dataset *data, const uint8_t *pixels, uint32_t n, float *x);

/// One row of nets.def: builds an untrained graph (He-initialised from seed) for a data set's shape.
typedef struct lac_net_desc {
    const char *name, *help, *source;
    lac_graph *(*build)(lac_arena *arena, int c, int h, int w, int n_classes, uint64_t seed);
} lac_net_desc;

int lac_n_nets(void);
const lac_net_desc *lac_net_row(int i);

#endif
