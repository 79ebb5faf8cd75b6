/* mouse.h - a real mouse and real keys for tests of the window, by xdotool. Without a window manager keys go to the
 * window under the pointer.
 */
#pragma once

#include "driver.h"

/* xdotool's words. */
static void use_mouse(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void use_mouse(const char *format, ...)
{
    g_autofree char *arguments = NULL;
    g_autofree char *command = NULL;
    g_autoptr(GError) error = NULL;
    va_list list;

    va_start(list, format);
    arguments = g_strdup_vprintf(format, list);
    va_end(list);
    command = g_strconcat("xdotool ", arguments, NULL);
    g_spawn_command_line_sync(command, NULL, NULL, NULL, &error);
    g_assert_no_error(error);
    settle(200);
}

/* Of a place in a widget on the screen: windows stand at its corner, without a frame around them. */
static graphene_point_t point_at(GtkWidget *widget, double x, double y)
{
    GtkNative *native = gtk_widget_get_native(widget);
    graphene_point_t inside = GRAPHENE_POINT_INIT((float)x, (float)y);
    double dx, dy;
    graphene_point_t point;

    g_assert_true(gtk_widget_compute_point(widget, GTK_WIDGET(native), &inside, &point));
    gtk_native_get_surface_transform(native, &dx, &dy);
    return GRAPHENE_POINT_INIT(point.x + (float)dx, point.y + (float)dy);
}

/* The same in parts of its width and height. */
G_GNUC_UNUSED static graphene_point_t point_in(GtkWidget *widget, double x, double y)
{
    return point_at(widget, gtk_widget_get_width(widget) * x, gtk_widget_get_height(widget) * y);
}
