/* test_animation_formats.c - GIF, APNG, WebM and MP4 as this build writes them, read back by
 * libavformat and libavcodec: size, times, colours, and the same bytes again. */
#include "app/files/read_file.h"
#include "app/image/animation.h"
#include "test.h"

#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#define W        37
#define H        20
#define PICTURES 4

static const uint8_t colors[PICTURES][3] = {
    {200, 40, 40}, {40, 160, 60}, {40, 60, 200}, {230, 230, 230}};

/* ms: that each picture but the last is shown */
static bool write_file(const char *path, int ms, SlError *err)
{
    uint8_t rgb[W * H * 3];
    SlAnimation *a = sl_animation_new(path, W, H, err);
    for (int i = 0; a && i < PICTURES; i++) {
        for (int k = 0; k < W * H; k++)
            memcpy(rgb + 3 * k, colors[i], 3);
        sl_animation_add(a, rgb, i == PICTURES - 1 ? 1500 : ms);
    }
    bool ok = a && sl_animation_save(a, path, "{}", err);
    sl_animation_free(a);
    return ok;
}

/* What a reader finds. */
typedef struct Seen {
    int width, height, pictures;
    double seconds, newest; /* of all, and when the last one begins */
    uint8_t first[3]; /* in the middle of the first picture, as far as its colours are told so */
    bool rgb;
} Seen;

static void take_picture(Seen *seen, const AVFrame *f)
{
    const uint8_t *p = f->data[0] + (H / 2) * f->linesize[0];
    if (seen->pictures++ > 0)
        return;
    seen->rgb = f->format == AV_PIX_FMT_RGB24 || f->format == AV_PIX_FMT_BGRA;
    if (f->format == AV_PIX_FMT_RGB24)
        memcpy(seen->first, p + 3 * (W / 2), 3);
    else if (f->format == AV_PIX_FMT_BGRA)
        for (int c = 0; c < 3; c++)
            seen->first[c] = p[4 * (W / 2) + 2 - c];
    else
        seen->first[0] = p[W / 2]; /* brightness */
}

static bool read_all(AVFormatContext *file, AVCodecContext *codec, Seen *seen)
{
    AVPacket *packet = av_packet_alloc();
    AVFrame *frame = av_frame_alloc();
    int64_t last = 0, newest = 0;
    bool going = packet && frame;
    while (going) {
        going = av_read_frame(file, packet) >= 0;
        if (going && packet->pts != AV_NOPTS_VALUE) {
            last = packet->pts + packet->duration > last ? packet->pts + packet->duration : last;
            newest = packet->pts > newest ? packet->pts : newest;
        }
        avcodec_send_packet(codec, going ? packet : NULL);
        while (avcodec_receive_frame(codec, frame) >= 0)
            take_picture(seen, frame);
        av_packet_unref(packet);
    }
    seen->seconds = (double)last * av_q2d(file->streams[0]->time_base);
    seen->newest = (double)newest * av_q2d(file->streams[0]->time_base);
    av_packet_free(&packet);
    av_frame_free(&frame);
    return seen->pictures > 0;
}

static bool look(const char *path, Seen *seen)
{
    AVFormatContext *file = NULL;
    AVCodecContext *codec = NULL;
    bool ok = avformat_open_input(&file, path, NULL, NULL) >= 0 &&
              avformat_find_stream_info(file, NULL) >= 0 && file->nb_streams == 1;
    const AVCodec *decoder = ok ? avcodec_find_decoder(file->streams[0]->codecpar->codec_id) : NULL;
    ok = decoder && (codec = avcodec_alloc_context3(decoder)) &&
         avcodec_parameters_to_context(codec, file->streams[0]->codecpar) >= 0 &&
         avcodec_open2(codec, decoder, NULL) >= 0;
    if (ok) {
        seen->width = codec->width;
        seen->height = codec->height;
        ok = read_all(file, codec, seen);
    }
    avcodec_free_context(&codec);
    avformat_close_input(&file);
    return ok;
}

static bool is_near(int a, int b, int by)
{
    return a - b <= by && b - a <= by;
}

static void test_format(SlAnimationFormat format)
{
    bool video = format == SL_ANIMATION_WEBM || format == SL_ANIMATION_MP4;
    char path[64], name[64];
    SlError err = {0};
    Seen seen = {0};
    size_t bytes = 0, again = 0;
    const char *ending = sl_animation_ending(format);
    snprintf(path, sizeof path, "/tmp/safelight-formats.%d%s", (int)getpid(), ending);
    snprintf(name, sizeof name, "%s", sl_animation_name(format));
    if (sl_animation_lacks(format)) {
        bool refused = !sl_animation_new(path, W, H, &err);
        sl_test(refused && strstr(err.message, sl_animation_lacks(format)), "no %s: %s", name,
                err.message);
        return;
    }
    sl_test(write_file(path, 100, &err), "%s is written %s", name, err.message);
    uint8_t *first = sl_read_file(path, 1 << 24, &bytes, &err);
    bool same = first && write_file(path, 100, &err);
    uint8_t *second = same ? sl_read_file(path, 1 << 24, &again, &err) : NULL;
    sl_test(second && bytes == again && memcmp(first, second, bytes) == 0,
            "the same %zu bytes again", bytes);
    sl_test(look(path, &seen), "it can be read");
    sl_test(seen.width == W + (video ? 1 : 0) && seen.height == H, "%d x %d", seen.width,
            seen.height);
    sl_test(seen.pictures == (video ? PICTURES - 1 + 15 : PICTURES), "%d pictures", seen.pictures);
    sl_test(format == SL_ANIMATION_APNG || is_near((int)(seen.seconds * 1000), 1800, 20), "%.2f s",
            seen.seconds);
    if (seen.rgb)
        sl_test(is_near(seen.first[0], 200, 6) && is_near(seen.first[1], 40, 6) &&
                    is_near(seen.first[2], 40, 6),
                "its colour is %d %d %d", seen.first[0], seen.first[1], seen.first[2]);
    else
        sl_test(is_near(seen.first[0], 16 + (int)(0.859 * (0.2126 * 200 + 0.7874 * 40)), 4),
                "its brightness is %d", seen.first[0]);
    free(first);
    free(second);
    unlink(path);
}

/* Of pictures of 1 ms the last would be there 1500 times. */
static void test_short_pictures(SlAnimationFormat format)
{
    char path[64];
    SlError err = {0};
    Seen seen = {0};
    if (sl_animation_lacks(format))
        return;
    snprintf(path, sizeof path, "/tmp/safelight-formats.%d%s", (int)getpid(),
             sl_animation_ending(format));
    bool ok = write_file(path, 1, &err) && look(path, &seen);
    sl_test(ok && seen.pictures > PICTURES && seen.pictures < 50 &&
                is_near((int)lrint(seen.newest * 1000), 1502, 1),
            "%s of pictures of 1 ms: %d pictures, the last at %.3f s %s", sl_animation_name(format),
            seen.pictures, seen.newest, err.message);
    unlink(path);
}

int main(void)
{
    SlAnimationFormat format;
    SlError err = {0};
    for (int i = SL_ANIMATION_GIF; i < SL_ANIMATION_FORMATS; i++)
        test_format((SlAnimationFormat)i);
    test_short_pictures(SL_ANIMATION_WEBM);
    test_short_pictures(SL_ANIMATION_MP4);
    sl_test(!sl_animation_format("a.mov", &format, &err) && strstr(err.message, ".webp"), "%s",
            err.message);
    sl_test(sl_animation_format("a.GIF", &format, &err) && format == SL_ANIMATION_GIF,
            "an ending in capitals");
    return sl_test_done();
}
