/* sl-places.c - see sl-places.h. */
#define G_SETTINGS_ENABLE_BACKEND
#include "app/objects/sl-places.h"

#include <gio/gsettingsbackend.h>
#include <glib/gstdio.h>

#include "app/files/files.h"

#define SCHEMA_ID "org.safelight.Safelight"

/* Beside the executable, for a program that runs from its build folder. */
static char *
beside_program (const char *name)
{
  g_autofree char *program = g_file_read_link ("/proc/self/exe", NULL);
  g_autofree char *folder = g_path_get_dirname (program ? program : ".");

  return g_build_filename (folder, name, NULL);
}

GPtrArray *
sl_places_model_folders (const char *preferred)
{
  GPtrArray *folders = g_ptr_array_new_with_free_func (g_free);
  char **usual = sl_model_folders ();

  if (preferred && *preferred)
    g_ptr_array_add (folders, g_strdup (preferred));
  for (char **folder = usual; folder && *folder; folder++)
    g_ptr_array_add (folders, g_strdup (*folder));
  sl_strings_free (usual);
  return folders;
}

char *
sl_places_pictures_folder (GSettings *settings)
{
  g_autofree char *chosen = g_settings_get_string (settings, "pictures-folder");
  const char *pictures = g_get_user_special_dir (G_USER_DIRECTORY_PICTURES);

  if (*chosen)
    return g_steal_pointer (&chosen);
  return g_build_filename (pictures ? pictures : g_get_home_dir (), "Safelight", NULL);
}

char *
sl_places_comparisons_folder (void)
{
  return g_build_filename (g_get_user_data_dir (), "safelight", "comparisons", NULL);
}

char *
sl_places_locale_folder (void)
{
  g_autofree char *built = beside_program ("data/po");

  return g_strdup (g_file_test (built, G_FILE_TEST_IS_DIR) ? built : SL_LOCALE_DIR);
}

static GSettingsSchema *
find_schema (void)
{
  g_autofree char *built = beside_program ("data");
  const char *folders[] = { built, SL_SCHEMA_DIR };
  GSettingsSchemaSource *standard = g_settings_schema_source_get_default ();
  GSettingsSchema *schema = NULL;

  if (standard)
    schema = g_settings_schema_source_lookup (standard, SCHEMA_ID, TRUE);
  for (guint i = 0; !schema && i < G_N_ELEMENTS (folders); i++)
    {
      g_autoptr (GSettingsSchemaSource) source
          = g_settings_schema_source_new_from_directory (folders[i], standard, FALSE, NULL);

      if (source)
        schema = g_settings_schema_source_lookup (source, SCHEMA_ID, FALSE);
    }
  return schema;
}

/* A file, or none yet: GLib would wait for a pipe for ever. */
static gboolean
can_be_settings (const char *file)
{
  GStatBuf status;

  return g_stat (file, &status) != 0 || S_ISREG (status.st_mode);
}

/* The settings' file where the desktop has no service for them, which GLib would keep in memory only: they would be
 * forgotten. NULL: it has one. */
static char *
own_file (void)
{
  GSettingsBackend *standard = g_settings_backend_get_default ();
  gboolean forgets = g_strcmp0 (G_OBJECT_TYPE_NAME (standard), "GMemorySettingsBackend") == 0;

  g_object_unref (standard);
  return g_getenv ("GSETTINGS_BACKEND") || !forgets
             ? NULL
             : g_build_filename (g_get_user_config_dir (), "safelight", "settings.ini", NULL);
}

static GSettingsBackend *
open_backend (void)
{
  g_autofree char *file = own_file ();

  if (file && can_be_settings (file))
    return g_keyfile_settings_backend_new (file, "/", NULL);
  if (file)
    g_message ("%s is not a file: the settings of this time are not kept", file);
  return g_settings_backend_get_default ();
}

gboolean
sl_places_check_kept_in (GSettings *settings, const char *key, const char *file, GError **error)
{
  g_autoptr (GSettingsSchema) schema = NULL;
  g_autoptr (GSettingsBackend) backend = NULL;
  g_autoptr (GSettings) again = NULL;
  g_autoptr (GVariant) here = g_settings_get_value (settings, key);
  g_autoptr (GVariant) there = NULL;

  g_settings_sync ();
  g_object_get (settings, "settings-schema", &schema, NULL);
  if (can_be_settings (file))
    {
      backend = g_keyfile_settings_backend_new (file, "/", NULL);
      again = g_settings_new_full (schema, backend, NULL);
      there = g_settings_get_value (again, key);
    }
  if (there && g_variant_equal (here, there))
    return TRUE;
  g_set_error (error, G_IO_ERROR, G_IO_ERROR_FAILED, sl_words ("%s: could not be written"),
               sl_show_path (file).text);
  return FALSE;
}

gboolean
sl_places_check_kept (GSettings *settings, const char *key, GError **error)
{
  g_autofree char *file = own_file ();

  return file == NULL || sl_places_check_kept_in (settings, key, file, error);
}

GSettings *
sl_places_open_settings (GError **error)
{
  g_autoptr (GSettingsSchema) schema = find_schema ();
  g_autoptr (GSettingsBackend) backend = NULL;

  if (schema == NULL)
    {
      g_set_error (
          error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND,
          sl_words ("The settings schema %s is not installed in %s; install the program again or run it "
                    "from its build folder."),
          SCHEMA_ID, SL_SCHEMA_DIR);
      return NULL;
    }
  backend = open_backend ();
  return g_settings_new_full (schema, backend, NULL);
}
