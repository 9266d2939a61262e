/* SPDX-License-Identifier: LGPL-2.1-or-later */

#include <errno.h>
#include <string.h>

#include "ctl/detach-keys.h"

#define KEY_TEXT_MAX 16

/* One key: a character, or ctrl- and one of those that have a control code. */
static int key_parse(const char *text, size_t n, uint8_t *ret)
{
        static const char prefix[] = "ctrl-";
        size_t n_prefix = sizeof(prefix) - 1;
        char c;

        if (n == 1 && text[0] > ' ' && text[0] < 0x7f) {
                *ret = (uint8_t)text[0];
                return 0;
        }
        if (n != n_prefix + 1 || strncmp(text, prefix, n_prefix) != 0)
                return -EINVAL;
        c = text[n_prefix];
        if (c >= 'a' && c <= 'z')
                c = (char)(c - 'a' + 'A');
        if (c < '@' || c > '_')
                return -EINVAL;
        *ret = (uint8_t)(c - '@');
        return 0;
}

int detach_keys_parse(const char *text, DetachKeys *ret, Fault *fault)
{
        DetachKeys keys = { .n = 0 };

        if (!*text || strcmp(text, "none") == 0) {
                *ret = keys;
                return 0;
        }
        for (;;) {
                size_t n = strcspn(text, ",");

                if (keys.n == DETACH_KEYS_MAX)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "More than %d keys to detach with", DETACH_KEYS_MAX);
                if (key_parse(text, n, &keys.keys[keys.n]) < 0)
                        return fault_set(fault, FAULT_INVALID, -EINVAL,
                                         "'%.*s' is not a key such as a, ctrl-p or ctrl-@",
                                         (int)(n < KEY_TEXT_MAX ? n : KEY_TEXT_MAX), text);
                keys.n++;
                if (!text[n])
                        break;
                text += n + 1;
        }
        *ret = keys;
        return 0;
}

/* The keys as far as typed, and one more: how many of these are again a beginning of the keys? What
 * is in front of that goes on. */
static size_t held_after(const DetachKeys *keys, uint8_t byte)
{
        uint8_t typed[DETACH_KEYS_MAX + 1];
        size_t n = keys->n_held;

        memcpy(typed, keys->keys, n);
        typed[n++] = byte;
        for (size_t start = 0; start < n; start++)
                if (memcmp(typed + start, keys->keys, n - start) == 0)
                        return n - start;
        return 0;
}

int detach_keys_filter(DetachKeys *keys, uint8_t *data, size_t *size)
{
        size_t n_in = *size, n_out = 0;
        uint8_t *in = data + DETACH_KEYS_MAX;

        if (keys->n == 0)
                return 0;
        /* What was held comes out in front: the input steps back to make room. */
        memmove(in, data, n_in);
        for (size_t i = 0; i < n_in; i++) {
                size_t n_before = keys->n_held, n_held = held_after(keys, in[i]);
                size_t n_gone = n_before + 1 - n_held;

                /* These are the first of the held ones, or all of them and the new one. */
                memcpy(data + n_out, keys->keys, n_gone < n_before ? n_gone : n_before);
                n_out += n_gone < n_before ? n_gone : n_before;
                if (n_gone > n_before)
                        data[n_out++] = in[i];
                keys->n_held = n_held;
                if (n_held == keys->n) {
                        keys->n_held = 0;
                        *size = n_out;
                        return 1;
                }
        }
        *size = n_out;
        return 0;
}
