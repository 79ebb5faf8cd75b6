/* av_library.h - libavformat, libavcodec, libavfilter and libavutil, opened when an animation needs them: with
 * what they are linked with they are a hundred libraries, which every start would wait for.
 */
#ifndef SL_APP_AV_LIBRARY_H
#define SL_APP_AV_LIBRARY_H

#include <libavcodec/avcodec.h>
#include <libavfilter/avfilter.h>
#include <libavfilter/buffersink.h>
#include <libavfilter/buffersrc.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>

/* All that animation_av.c calls, by the library it is in. */
#define SL_AV_FUNCTIONS(OF)                    \
    OF(UTIL, av_dict_free)                     \
    OF(UTIL, av_dict_parse_string)             \
    OF(UTIL, av_dict_set)                      \
    OF(UTIL, av_frame_alloc)                   \
    OF(UTIL, av_frame_free)                    \
    OF(UTIL, av_frame_get_buffer)              \
    OF(UTIL, av_frame_unref)                   \
    OF(UTIL, av_free)                          \
    OF(UTIL, av_freep)                         \
    OF(UTIL, av_log_set_level)                 \
    OF(UTIL, av_malloc)                        \
    OF(UTIL, av_opt_set)                       \
    OF(UTIL, av_rescale_q)                     \
    OF(UTIL, av_strdup)                        \
    OF(UTIL, av_strerror)                      \
    OF(CODEC, av_packet_alloc)                 \
    OF(CODEC, av_packet_free)                  \
    OF(CODEC, av_packet_rescale_ts)            \
    OF(CODEC, avcodec_alloc_context3)          \
    OF(CODEC, avcodec_find_encoder_by_name)    \
    OF(CODEC, avcodec_free_context)            \
    OF(CODEC, avcodec_open2)                   \
    OF(CODEC, avcodec_parameters_from_context) \
    OF(CODEC, avcodec_receive_packet)          \
    OF(CODEC, avcodec_send_frame)              \
    OF(FORMAT, av_guess_format)                \
    OF(FORMAT, av_interleaved_write_frame)     \
    OF(FORMAT, av_write_trailer)               \
    OF(FORMAT, avformat_alloc_output_context2) \
    OF(FORMAT, avformat_free_context)          \
    OF(FORMAT, avformat_new_stream)            \
    OF(FORMAT, avformat_write_header)          \
    OF(FORMAT, avio_alloc_context)             \
    OF(FORMAT, avio_context_free)              \
    OF(FORMAT, avio_flush)                     \
    OF(FILTER, av_buffersink_get_format)       \
    OF(FILTER, av_buffersink_get_frame)        \
    OF(FILTER, av_buffersink_get_h)            \
    OF(FILTER, av_buffersink_get_time_base)    \
    OF(FILTER, av_buffersink_get_w)            \
    OF(FILTER, av_buffersrc_add_frame_flags)   \
    OF(FILTER, avfilter_get_by_name)           \
    OF(FILTER, avfilter_graph_alloc)           \
    OF(FILTER, avfilter_graph_config)          \
    OF(FILTER, avfilter_graph_create_filter)   \
    OF(FILTER, avfilter_graph_free)            \
    OF(FILTER, avfilter_graph_parse_ptr)       \
    OF(FILTER, avfilter_inout_alloc)           \
    OF(FILTER, avfilter_inout_free)

typedef struct SlAvLibrary {
#define SL_AV_MEMBER(library, function) __typeof__(function) *function;
    SL_AV_FUNCTIONS(SL_AV_MEMBER)
#undef SL_AV_MEMBER
} SlAvLibrary;

/* Opened at the first call, from any thread, and never closed. NULL where they cannot be opened in the versions that the
 * program was built with. */
const SlAvLibrary *sl_av_library(void);
/* Why, in the person's language; NULL: they are open. */
const char *sl_av_library_problem(void);

#endif
