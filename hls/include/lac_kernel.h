#ifndef LAC_KERNEL_H
#define LAC_KERNEL_H

/// What the kernel and the host that starts it agree on, beyond the program stream.
///
/// The kernel runs a program image on a batch of images. Its arguments, in the order of the register map:
///
///   program        [program_words]                  the program stream
///   input          [n_images][input_words][lanes]   codes of every image, laid out as in activation memory
///   output         [n_images][output_count]         raw results in the order in which the engine sends them
///   trace          [trace_bytes]                    see below
///   status         [LAC_STATUS_WORDS]               written once, at the end
///   program_words, input_base, input_words, output_count, n_images, trace_bytes, contract
///
/// input_base is the first word of the input in activation memory, contract the hash of the image's contract.
/// With no images the kernel does nothing but say in `status` which engine it is.
///
/// Trace: with trace_bytes = 0 there is none. Otherwise every step but the one that sends raw results appends
/// LAC_TRACE_HEADER_BYTES (32-bit numbers, little-endian: ID of the step, first word, number of words, 0) and
/// these words of activation memory, which hold all that the step has written.

enum { LAC_TRACE_HEADER_BYTES = 16, LAC_KERNEL_MOST_TAPS = 64 };

/// Words of `status`.
enum {
    LAC_STATUS_CODE,     ///< one of the codes below
    LAC_STATUS_STEP,     ///< ID of the step in hand when it stopped
    LAC_STATUS_WORD,     ///< program words taken when it stopped
    LAC_STATUS_IMAGES,   ///< images that are complete
    LAC_STATUS_SENT,     ///< results of the last image
    LAC_STATUS_TRACED,   ///< bytes of trace written
    LAC_STATUS_CONTRACT, ///< hash of the contract that the kernel was compiled with
    LAC_STATUS_PARAMS,   ///< engine parameters from here on, in the order of rtl/defs/engine.def
    LAC_STATUS_WORDS = 32
};

/// Why a run ended. Rows: name, value, sentence.
#define LAC_KERNEL_CODES(ROW)                                                                                \
    ROW(DONE, 1, "done")                                                                                     \
    ROW(BAD_CONTRACT, 2, "the image is for another contract")                                                \
    ROW(BAD_RECORD, 3, "a record of the program makes no sense to an engine")                                \
    ROW(BAD_ENTRY, 4, "a list entry is outside its layer's taps, lanes or channels")                         \
    ROW(LIST_FULL, 5, "a list that is replayed does not fit the list memory")                                \
    ROW(BAD_ADDRESS, 6, "an address is outside activation memory, or a tap more than a tile away")           \
    ROW(TOO_MANY, 7, "the program sends more results than the output has room for")                          \
    ROW(TOO_FEW, 8, "the program ends with fewer results than expected")                                     \
    ROW(TOO_SHORT, 9, "the program ends inside a layer")                                                     \
    ROW(TRACE_FULL, 10, "the trace does not fit its buffer")                                                 \
    ROW(BAD_INPUT, 11, "the input does not fit activation memory")
enum {
#define LAC_KERNEL_CODE(name, value, text) LAC_KERNEL_##name = value,
    LAC_KERNEL_CODES(LAC_KERNEL_CODE)
#undef LAC_KERNEL_CODE
};

#endif
