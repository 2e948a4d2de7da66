/* population_faces -- the images of a synthetic population: who is on each, how it was taken, and
 * the files. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datasets/base/digest.h"
#include "datasets/base/file.h"
#include "datasets/base/memory.h"
#include "datasets/base/pace.h"
#include "datasets/base/text.h"
#include "datasets/population.h"
#include "datasets/population_render.h"
#include "datasets/population_subject.h"

/* Streams of the group's mean faces, far from those of the subjects. */
#define GROUP_STREAM ((uint64_t)1 << 40)
#define HEADER_MAX 32

/* What the loop over subjects works with. */
typedef struct {
    const assay_population *population;
    const char *directory;
    assay_face *means; /* [group_count] */
    uint8_t *file;     /* header and pixels of one picture */
    assay_text manifest;
} picture_studio;

static assay_status draw_means(const assay_population *population, assay_face **out) {
    assay_face *means = NULL;
    assay_status status =
        assay_allocate(&means, population->group_count, sizeof *means, "mean faces");
    if (status != ASSAY_OK) return status;
    for (uint32_t g = 0; g < population->group_count; g++) {
        assay_random random;
        assay_random_start(&random, population->seed, GROUP_STREAM + g);
        assay_face_draw(&random, &means[g]);
    }
    *out = means;
    return ASSAY_OK;
}

static double unit(assay_random *random) {
    return assay_random_u32(random) * (1.0 / 4294967296.0);
}

/* How this picture is taken; degradation is the group's. */
static void draw_capture(assay_random *random, double degradation, double age,
                         assay_face_capture *out) {
    double turn = 1 + 0.8 * degradation;
    *out = (assay_face_capture){
        .yaw = 0.060 * turn * assay_face_spread(random),
        .pitch = 0.040 * turn * assay_face_spread(random),
        .roll = 0.025 * turn * assay_face_spread(random),
        .scale = 1 + 0.015 * assay_face_spread(random),
        .shift_x = 0.010 * assay_face_spread(random),
        .shift_y = 0.010 * assay_face_spread(random),
        .light_x = 0.25 * assay_face_spread(random),
        .light_y = -0.25 + 0.20 * assay_face_spread(random),
        .ambient = 0.35 + 0.25 * unit(random),
        .exposure = 1.05 + 0.10 * assay_face_spread(random),
        .smile = unit(random) < 0.5 ? 0 : 0.8 * unit(random),
        .backdrop = 0.45 + 0.45 * unit(random),
        .clothes = 0.05 + 0.75 * unit(random),
        .blur = 0.15 + 0.45 * unit(random) + 2.0 * degradation * unit(random),
        .noise = 1.0 + 1.5 * unit(random) + 6 * degradation * unit(random),
        .age = age,
    };
}

/* 100 less a share for each thing that makes the picture a worse one. */
static double quality_of(const assay_face_capture *capture) {
    double turned = (capture->yaw < 0 ? -capture->yaw : capture->yaw) +
                    (capture->pitch < 0 ? -capture->pitch : capture->pitch);
    double quality = 100 - 60 * turned - 8 * capture->blur - 3 * capture->noise;
    return quality < 0 ? 0 : quality;
}

static assay_status write_picture(const char *path, const uint8_t *bytes, size_t count) {
    assay_status status = ASSAY_OK;
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0) return assay_fail_errno("cannot write %s", path);
    while (count > 0) {
        ssize_t done = write(fd, bytes, count);
        if (done < 0 && errno == EINTR) continue;
        if (done < 0) {
            status = assay_fail_errno("cannot write %s", path);
            break;
        }
        bytes += done;
        count -= (size_t)done;
    }
    if (close(fd) != 0 && status == ASSAY_OK) status = assay_fail_errno("cannot write %s", path);
    return status;
}

/* A cell of a CSV file; in quotes where it has to be. */
static void append_cell(assay_text *text, const char *cell) {
    if (strpbrk(cell, ",\"\r\n") == NULL) {
        assay_text_append(text, cell);
        return;
    }
    assay_text_append(text, "\"");
    for (; *cell != '\0'; cell++) {
        if (*cell == '"') assay_text_append(text, "\"");
        assay_text_append_bytes(text, cell, 1);
    }
    assay_text_append(text, "\"");
}

static void append_sample(picture_studio *studio, const assay_population_subject *subject,
                          uint32_t k, double quality, const assay_digest *digest) {
    char sample_id[32], subject_id[32], captured[ASSAY_NUMBER_SIZE], hex[ASSAY_DIGEST_HEX];
    assay_population_sample_id(sample_id, sizeof sample_id, subject->index, k);
    assay_population_subject_id(subject_id, sizeof subject_id, subject->index);
    assay_print_time(captured, assay_population_captured(subject, k));
    assay_text_appendf(&studio->manifest, "%s,images/%s.pgm,%s,%u,%s,%.1f,%s,", sample_id,
                       sample_id, subject_id, k + 1, captured, quality,
                       assay_digest_hex(hex, digest));
    append_cell(&studio->manifest, studio->population->groups[subject->group].name);
    assay_text_appendf(&studio->manifest, ",%s,%u\n", assay_population_sexes[subject->sex],
                       subject->age + k);
}

static assay_status take_picture(picture_studio *studio, assay_population_subject *subject,
                                 const assay_face *face, uint32_t k) {
    const assay_population *population = studio->population;
    uint32_t size = population->image_size;
    assay_face_capture capture;
    assay_digest digest;
    char name[64], sample_id[32];
    char *path = NULL;
    draw_capture(&subject->random, population->groups[subject->group].degradation, subject->age + k,
                 &capture);
    int header = snprintf((char *)studio->file, HEADER_MAX, "P5\n%" PRIu32 " %" PRIu32 "\n255\n",
                          size, size);
    size_t count = (size_t)header + (size_t)size * size;
    assay_status status =
        assay_face_render(face, &capture, size, &subject->random, studio->file + header);
    if (status != ASSAY_OK) goto out;
    status = assay_digest_bytes(studio->file, count, &digest);
    if (status != ASSAY_OK) goto out;
    assay_population_sample_id(sample_id, sizeof sample_id, subject->index, k);
    snprintf(name, sizeof name, "images/%s.pgm", sample_id);
    status = assay_path_join(&path, studio->directory, name);
    if (status != ASSAY_OK) goto out;
    status = write_picture(path, studio->file, count);
    if (status != ASSAY_OK) goto out;
    append_sample(studio, subject, k, quality_of(&capture), &digest);
out:
    free(path);
    return status;
}

static assay_status take_pictures(picture_studio *studio, const assay_progress *progress,
                                  const uint32_t *groups) {
    const assay_population *population = studio->population;
    uint64_t done = 0, total = (uint64_t)population->subjects * population->samples_per_subject;
    assay_pace pace = {0};
    for (uint32_t s = 0; s < population->subjects; s++) {
        assay_population_subject subject;
        assay_face face;
        assay_population_subject_start(population, s, groups[s], &subject);
        assay_face_draw(&subject.random, &face);
        assay_face_pull(&face, &studio->means[groups[s]], population->groups[groups[s]].likeness);
        for (uint32_t k = 0; k < population->samples_per_subject; k++) {
            assay_status status = take_picture(studio, &subject, &face, k);
            if (status != ASSAY_OK) return status;
            done++;
            if ((done == total || assay_pace_due(&pace)) &&
                !assay_progress_tell(progress, "synth", "images", done, total)) {
                return assay_fail(ASSAY_FAILED, "making synthetic images in %s: interrupted",
                                  studio->directory);
            }
        }
    }
    return ASSAY_OK;
}

static assay_status write_text(const char *directory, const char *name, const char *bytes,
                               size_t count) {
    char *path = NULL;
    assay_status status = assay_path_join(&path, directory, name);
    if (status == ASSAY_OK) status = assay_file_write(path, bytes, count);
    free(path);
    return status;
}

assay_status assay_population_images(const assay_population *population, const char *directory,
                                     const assay_progress *progress) {
    picture_studio studio = {.population = population, .directory = directory};
    uint32_t *groups = NULL;
    char *images = NULL, *truth = NULL;
    assay_status status = assay_population_check(population);
    if (status != ASSAY_OK) goto out;
    size_t pixels = (size_t)population->image_size * population->image_size;
    status = assay_allocate(&studio.file, HEADER_MAX + pixels, 1, "picture");
    if (status != ASSAY_OK) goto out;
    status = draw_means(population, &studio.means);
    if (status != ASSAY_OK) goto out;
    status = assay_population_assign(population, &groups);
    if (status != ASSAY_OK) goto out;
    status = assay_path_join(&images, directory, "images");
    if (status != ASSAY_OK) goto out;
    status = assay_make_directories(images);
    if (status != ASSAY_OK) goto out;
    assay_text_append(&studio.manifest, "sample_id,path,subject_id,session,captured,quality,sha256,"
                                        "group,sex,age\n");
    status = take_pictures(&studio, progress, groups);
    if (status != ASSAY_OK) goto out;
    status = assay_population_truth_json(population, &truth);
    if (status != ASSAY_OK) goto out;
    status = write_text(directory, "truth.json", truth, strlen(truth));
    if (status != ASSAY_OK) goto out;
    status = assay_text_status(&studio.manifest);
    if (status != ASSAY_OK) goto out;
    /* Last, so that a folder with a manifest is a whole one. */
    status = write_text(directory, "manifest.csv", studio.manifest.bytes, studio.manifest.length);
out:
    assay_text_free(&studio.manifest);
    free(studio.file);
    free(studio.means);
    free(groups);
    free(images);
    free(truth);
    return status;
}
