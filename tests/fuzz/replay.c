/* SPDX-License-Identifier: LGPL-2.1-or-later */

/* Gives a target every file of the directories that are named, every beginning of each, and each
 * with one byte after the other replaced. That is no fuzzing, but it holds what fuzzing has found,
 * and the cuts that a crash in the middle of a write leaves. */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>

#include "basic/fd.h"
#include "basic/io.h"
#include "basic/macro.h"
#include "fuzz.h"

#define INPUT_MAX (1U << 20)
#define MUTATED_MAX 4096 /* larger files are replayed and cut at 4096 places only */

/* On the heap and of exactly that size, so that a sanitizer sees one byte too many. */
static void run_copy(const char *data, size_t size, size_t at, int byte)
{
        uint8_t *copy = malloc(MAX2(size, (size_t)1));

        PROMISE(copy);
        memcpy(copy, data, size);
        if (byte >= 0)
                copy[at] = (uint8_t)byte;
        (void)LLVMFuzzerTestOneInput(copy, size);
        free(copy);
}

static void run_variants(const char *data, size_t size)
{
        size_t step = size / MUTATED_MAX + 1;

        for (size_t i = 0; i <= size; i += step)
                run_copy(data, i, 0, -1);
        run_copy(data, size, 0, -1);
        for (size_t i = 0; i < size && size <= MUTATED_MAX; i++) {
                run_copy(data, size, i, 0);
                run_copy(data, size, i, 0xff);
                run_copy(data, size, i, (uint8_t)data[i] ^ 1);
        }
}

static int is_input(const struct dirent *entry)
{
        return entry->d_name[0] != '.';
}

/* Returns how many files there were; negative errno. */
static int run_directory(const char *path)
{
        _drop_(drop_fd) int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct dirent **entries;
        int n, r = 0;

        if (fd < 0)
                return -errno;
        n = scandir(path, &entries, is_input, alphasort);
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                _drop_(drop_free) char *data = NULL;
                size_t size;

                if (r >= 0)
                        r = io_read_file(fd, entries[i]->d_name, INPUT_MAX, &data, &size);
                if (r >= 0) {
                        fprintf(stderr, "%s/%s\n", path, entries[i]->d_name);
                        run_variants(data, size);
                }
                free(entries[i]);
        }
        free(entries);
        return r < 0 ? r : n;
}

int main(int argc, char *argv[])
{
        for (int i = 1; i < argc; i++) {
                int n = run_directory(argv[i]);

                if (n <= 0) {
                        fprintf(stderr, "%s: %s\n", argv[i], n < 0 ? strerror(-n) : "is empty");
                        return EXIT_FAILURE;
                }
        }
        return argc > 1 ? EXIT_SUCCESS : EXIT_FAILURE;
}
