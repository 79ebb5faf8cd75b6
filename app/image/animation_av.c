/* animation_av.c - GIF, APNG, WebM and MP4 by libavformat, libavcodec and libavfilter; see
 * animation.h and av_library.h. A picture goes through the format's filters (a palette of its own, or video colours
 * and even sides) to the encoder as it comes; the file is put together in memory.
 *
 * Easy to get wrong: formats that know times only from picture to picture have none for the last. GIF
 * and APNG are told it at the end; in a video, whose unit of time is what its first picture is shown, a
 * longer one is there again and again, so that every player holds it: each unit, but no more often than
 * every HOLD_MS, or units of 1 ms would make thousands of it. All is set to "bitexact" and one thread, or the file would name
 * versions and dates, and differ. The libraries print what goes wrong unless they are told not to.
 */
#include "app/files/files.h"
#include "app/image/animation_private.h"
#include "app/image/av_library.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define VIDEO                                                                  \
    "pad=ceil(iw/2)*2:ceil(ih/2)*2,scale=out_color_matrix=bt709:out_range=tv:" \
    "flags=bicubic+accurate_rnd+full_chroma_int+bitexact,format=yuv420p"

/* Where this is NULL, lacks() says so, and nothing else is called. */
#define av (sl_av_library())

#define ROOM    65536 /* of libavformat, before it writes */
#define HOLD_MS 40    /* from a picture of a video to the same once more, at least */

typedef struct Format {
    const char *muxer;
    const char *encoders[3]; /* the first that is there */
    const char *filters;
    const char *options; /* of the encoder, with ':' between them */
    bool video;          /* pictures of one length; sides are even */
    int second;          /* units of time in a second */
} Format;

static const Format formats[SL_ANIMATION_FORMATS] = {
    [SL_ANIMATION_GIF] = {"gif",
                          {"gif"},
                          "split[a][b];[a]palettegen=stats_mode=single:reserve_transparent=0[p];"
                          "[b][p]paletteuse=new=1:dither=sierra2_4a",
                          "",
                          false,
                          100},
    [SL_ANIMATION_APNG] = {"apng", {"apng"}, "format=rgb24", "pred=mixed", false, 1000},
    [SL_ANIMATION_WEBM] =
        {"webm", {"libvpx-vp9", "libvpx"}, VIDEO, "crf=18:b=0:deadline=good:cpu-used=3", true, 0},
    [SL_ANIMATION_MP4] = {"mp4", {"libx264", "libopenh264"}, VIDEO, "crf=16", true, 0},
};

typedef struct Movie {
    const Format *format;
    int width, height;
    int step, last; /* ms of the first picture and of the newest */
    int64_t at;     /* of the next: ms; of a video: pictures */
    AVFilterGraph *graph;
    AVFilterContext *source, *sink;
    AVCodecContext *encoder;
    AVFormatContext *file;
    AVFrame *frame, *filtered;
    AVPacket *packet;
    uint8_t *bytes; /* of the file so far */
    size_t size, capacity, position;
} Movie;

static const AVCodec *find_encoder(const Format *f)
{
    const AVCodec *codec = NULL;
    for (int i = 0; !codec && f->encoders[i]; i++)
        codec = av->avcodec_find_encoder_by_name(f->encoders[i]);
    return codec;
}

static const char *lacks(SlAnimationFormat format)
{
    const Format *f = &formats[format];
    if (!av)
        return sl_av_library_problem();
    if (!av->av_guess_format(f->muxer, NULL, NULL))
        return N_("the libavformat of this system does not write it");
    return find_encoder(f) ? NULL : N_("the libavcodec of this system has no encoder for it");
}

/* ---- the file in memory: libavformat's own cannot be closed in the middle, where APNG ends ---- */

#if LIBAVFORMAT_VERSION_MAJOR < 61 /* FFmpeg 7 */
typedef uint8_t Written;
#else
typedef const uint8_t Written;
#endif

static int write_bytes(void *arg, Written *data, int count)
{
    Movie *m = arg;
    size_t end = m->position + (size_t)count;
    if (end > m->capacity) {
        size_t capacity = end + end / 2 + 65536;
        uint8_t *larger = realloc(m->bytes, capacity);
        if (!larger)
            return AVERROR(ENOMEM);
        m->bytes = larger;
        m->capacity = capacity;
    }
    if (m->position > m->size)
        memset(m->bytes + m->size, 0, m->position - m->size);
    memcpy(m->bytes + m->position, data, (size_t)count);
    m->position = end;
    m->size = end > m->size ? end : m->size;
    return count;
}

static int64_t seek(void *arg, int64_t offset, int whence)
{
    Movie *m = arg;
    if (whence == AVSEEK_SIZE)
        return (int64_t)m->size;
    if (whence == SEEK_CUR)
        offset += (int64_t)m->position;
    else if (whence == SEEK_END)
        offset += (int64_t)m->size;
    if (offset < 0 || offset > INT32_MAX)
        return AVERROR(EINVAL);
    m->position = (size_t)offset;
    return offset;
}

static int open_memory(Movie *m)
{
    uint8_t *room = av->av_malloc(ROOM);
    if (room)
        m->file->pb = av->avio_alloc_context(room, ROOM, 1, m, NULL, write_bytes, seek);
    if (!m->file->pb)
        av->av_free(room);
    return m->file->pb ? 0 : AVERROR(ENOMEM);
}

static void end(void *maker)
{
    Movie *m = maker;
    if (m->file && m->file->pb) {
        av->av_freep(&m->file->pb->buffer);
        av->avio_context_free(&m->file->pb);
    }
    free(m->bytes);
    av->avformat_free_context(m->file);
    av->avcodec_free_context(&m->encoder);
    av->avfilter_graph_free(&m->graph);
    av->av_frame_free(&m->frame);
    av->av_frame_free(&m->filtered);
    av->av_packet_free(&m->packet);
    free(m);
}

static void *begin(SlAnimationFormat format, int width, int height, SlError *err)
{
    Movie *m = calloc(1, sizeof *m);
    av->av_log_set_level(AV_LOG_QUIET);
    if (m) {
        *m = (Movie){.format = &formats[format], .width = width, .height = height};
        m->frame = av->av_frame_alloc();
        m->filtered = av->av_frame_alloc();
        m->packet = av->av_packet_alloc();
        if (m->frame && m->filtered && m->packet)
            return m;
        end(m);
    }
    sl_fail(err, SL_MEMORY, "memory ran out for an animation of %d x %d", width, height);
    return NULL;
}

/* ---- once the first picture says how long one is shown ---- */

static AVRational unit_of(const Movie *m)
{
    return m->format->video ? (AVRational){m->step, 1000} : (AVRational){1, 1000};
}

static int make_filters(Movie *m)
{
    char args[160];
    AVFilterInOut *out = av->avfilter_inout_alloc(), *in = av->avfilter_inout_alloc();
    AVRational unit = unit_of(m);
    int status = AVERROR(ENOMEM);
    m->graph = av->avfilter_graph_alloc();
    if (m->graph && out && in) {
        m->graph->nb_threads = 1;
        snprintf(args, sizeof args, "video_size=%dx%d:pix_fmt=%d:time_base=%d/%d:pixel_aspect=1/1",
                 m->width, m->height, AV_PIX_FMT_RGB24, unit.num, unit.den);
        status = av->avfilter_graph_create_filter(&m->source, av->avfilter_get_by_name("buffer"),
                                                  "in", args, NULL, m->graph);
    }
    if (status >= 0)
        status = av->avfilter_graph_create_filter(&m->sink, av->avfilter_get_by_name("buffersink"),
                                                  "out", NULL, NULL, m->graph);
    if (status >= 0) {
        *out = (AVFilterInOut){av->av_strdup("in"), m->source, 0, NULL};
        *in = (AVFilterInOut){av->av_strdup("out"), m->sink, 0, NULL};
        status = out->name && in->name
                     ? av->avfilter_graph_parse_ptr(m->graph, m->format->filters, &in, &out, NULL)
                     : AVERROR(ENOMEM);
    }
    if (status >= 0)
        status = av->avfilter_graph_config(m->graph, NULL);
    av->avfilter_inout_free(&out);
    av->avfilter_inout_free(&in);
    return status;
}

static int make_encoder(Movie *m)
{
    AVDictionary *options = NULL;
    AVCodecContext *e = m->encoder = av->avcodec_alloc_context3(find_encoder(m->format));
    if (!e)
        return AVERROR(ENOMEM);
    e->width = av->av_buffersink_get_w(m->sink);
    e->height = av->av_buffersink_get_h(m->sink);
    e->pix_fmt = (enum AVPixelFormat)av->av_buffersink_get_format(m->sink);
    e->time_base = m->format->video ? unit_of(m) : (AVRational){1, m->format->second};
    if (m->format->video) {
        e->framerate = av_inv_q(e->time_base);
        e->color_range = AVCOL_RANGE_MPEG;
        e->colorspace = AVCOL_SPC_BT709;
        e->color_primaries = AVCOL_PRI_BT709;
        e->color_trc = AVCOL_TRC_BT709;
    }
    e->thread_count = 1;
    e->flags |= AV_CODEC_FLAG_BITEXACT;
    if (m->file->oformat->flags & AVFMT_GLOBALHEADER)
        e->flags |= AV_CODEC_FLAG_GLOBAL_HEADER;
    int status = av->av_dict_parse_string(&options, m->format->options, "=", ":", 0);
    if (status >= 0)
        status = av->avcodec_open2(e, NULL, &options);
    av->av_dict_free(&options);
    return status;
}

static int make_file(Movie *m)
{
    AVDictionary *options = NULL;
    AVStream *stream = av->avformat_new_stream(m->file, NULL);
    if (!stream)
        return AVERROR(ENOMEM);
    stream->time_base = m->encoder->time_base;
    stream->avg_frame_rate = m->encoder->framerate;
    int status = av->avcodec_parameters_from_context(stream->codecpar, m->encoder);
    if (status >= 0 && !m->format->video)
        status =
            av->av_dict_set(&options, strcmp(m->format->muxer, "gif") ? "plays" : "loop", "0", 0);
    if (status >= 0)
        status = av->avformat_write_header(m->file, &options);
    av->av_dict_free(&options);
    return status;
}

static int open_all(Movie *m)
{
    int status = av->avformat_alloc_output_context2(&m->file, NULL, m->format->muxer, NULL);
    if (status < 0)
        return status;
    m->file->flags |= AVFMT_FLAG_BITEXACT;
    status = open_memory(m);
    if (status >= 0)
        status = make_filters(m);
    if (status >= 0)
        status = make_encoder(m);
    return status < 0 ? status : make_file(m);
}

/* ---- pictures ---- */

/* frame NULL: all were sent. */
static int encode(Movie *m, AVFrame *frame)
{
    if (frame) {
        frame->pts = av->av_rescale_q(frame->pts, av->av_buffersink_get_time_base(m->sink),
                                      m->encoder->time_base);
        frame->pict_type = AV_PICTURE_TYPE_NONE;
    }
    int status = av->avcodec_send_frame(m->encoder, frame);
    while (status >= 0) {
        status = av->avcodec_receive_packet(m->encoder, m->packet);
        if (status == AVERROR(EAGAIN) || status == AVERROR_EOF)
            return 0;
        if (status < 0)
            break;
        if (m->format->video && m->packet->duration == 0)
            m->packet->duration = 1; /* else the last picture has no time */
        av->av_packet_rescale_ts(m->packet, m->encoder->time_base, m->file->streams[0]->time_base);
        m->packet->stream_index = 0;
        status = av->av_interleaved_write_frame(m->file, m->packet);
    }
    return status;
}

static int filter(Movie *m, AVFrame *frame)
{
    int status = av->av_buffersrc_add_frame_flags(m->source, frame, AV_BUFFERSRC_FLAG_KEEP_REF);
    while (status >= 0) {
        status = av->av_buffersink_get_frame(m->sink, m->filtered);
        if (status == AVERROR(EAGAIN) || status == AVERROR_EOF)
            return 0;
        if (status < 0)
            break;
        status = encode(m, m->filtered);
        av->av_frame_unref(m->filtered);
    }
    return status;
}

static int send(Movie *m, const uint8_t *rgb)
{
    if (!sl_host_has_room((size_t)m->width * (size_t)m->height * 64 + ((size_t)32 << 20)))
        return AVERROR(ENOMEM);
    av->av_frame_unref(m->frame);
    m->frame->format = AV_PIX_FMT_RGB24;
    m->frame->width = m->width;
    m->frame->height = m->height;
    int status = av->av_frame_get_buffer(m->frame, 0);
    if (status < 0)
        return status;
    for (int y = 0; y < m->height; y++)
        memcpy(m->frame->data[0] + (ptrdiff_t)y * m->frame->linesize[0],
               rgb + (size_t)y * (size_t)m->width * 3, (size_t)m->width * 3);
    m->frame->pts = m->at;
    return filter(m, m->frame);
}

/* The picture for so many units of a video's time, at least one; the last of them has it, or its end would
 * be that of the one before. */
static int hold(Movie *m, const uint8_t *rgb, int units)
{
    int64_t end = m->at + (units > 0 ? units : 1);
    int apart = m->step < HOLD_MS ? (HOLD_MS + m->step - 1) / m->step : 1, status = 0;
    while (status >= 0 && m->at < end) {
        status = send(m, rgb);
        m->at += m->at + apart < end || m->at == end - 1 ? apart : end - 1 - m->at;
    }
    m->at = end;
    return status;
}

static void say(int status, char *problem)
{
    if (av->av_strerror(status, problem, 100) < 0)
        strcpy(problem, "the encoder failed");
}

static void add(void *maker, const uint8_t *rgb, int ms, char *problem)
{
    Movie *m = maker;
    int status = 0;
    if (m->step == 0) {
        m->step = ms;
        status = open_all(m);
    }
    m->last = ms;
    if (status >= 0)
        status = m->format->video ? hold(m, rgb, (ms + m->step / 2) / m->step) : send(m, rgb);
    if (!m->format->video)
        m->at += ms;
    if (status < 0)
        say(status, problem);
}

/* ---- the file ---- */

/* How long the last picture is shown. */
static int tell_last(Movie *m)
{
    char delay[32];
    if (m->format->video)
        return 0;
    if (m->format->second == 100)
        snprintf(delay, sizeof delay, "%d", m->last / 10);
    else
        snprintf(delay, sizeof delay, "%d/1000", m->last);
    return av->av_opt_set(m->file->priv_data, "final_delay", delay, 0);
}

static bool save(void *maker, const char *path, const char *text, SlError *err)
{
    Movie *m = maker;
    char problem[128];
    int status = filter(m, NULL);
    if (status >= 0)
        status = encode(m, NULL);
    if (status >= 0)
        status = tell_last(m);
    if (status >= 0)
        status = av->av_write_trailer(m->file);
    if (status < 0) {
        say(status, problem);
        return sl_fail(err, SL_MEMORY, "%s: the animation could not be made: %s", path, problem);
    }
    av->avio_flush(m->file->pb);
    return m->file->pb->error < 0
               ? sl_fail(err, SL_MEMORY, "%s: memory ran out for the animation", path)
               : sl_write_file(path, m->bytes, m->size, err);
}

const SlAnimationMaker sl_animation_av = {begin, add, save, end, lacks};
