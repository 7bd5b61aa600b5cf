/*
 * config: the configuration file and the command line -> options -> what the engine is told.
 *
 * The file is read strictly, by the table of options. effect.h writes one from them.
 */
#pragma once

#include "portent.h"
#include "options.h"

#define PT_CONFIG_SIZE (1 << 20) /* octets of a configuration at most */

/*
 * Set the options that a text has a value for. 0; -ENOMEM; -EINVAL with `error` written. The
 * options may then be half set: they are to be thrown away.
 */
int pt_config_read(const char *file, const char *text, size_t length, struct pt_options *options,
                   struct pt_rule_error *error);

/* The same from a file. -EINVAL also if it cannot be read: `error` says why. */
int pt_config_load(const char *file, struct pt_options *options, struct pt_rule_error *error);

/*
 * Everything that the user asks for. Flags win over the file, and only a flag says which file that
 * is. 0; -ENOMEM; -EINVAL with `error` written. To be cleared in each case.
 */
int pt_config_options(int argc, char *const *argv, struct pt_options *options,
                      struct pt_rule_error *error);

/* What the engine is told of it. Borrows the options. */
struct pt_settings pt_config_settings(const struct pt_options *options);
