/* sl-button-name.c - see sl-button-name.h. */
#include "ui/widgets/sl-button-name.h"

void
sl_button_name_by_label (GtkButton *button)
{
  gtk_accessible_reset_property (GTK_ACCESSIBLE (button), GTK_ACCESSIBLE_PROPERTY_LABEL);
}
