/* Five bodies under gravity, as in the well-known benchmark: a chain of floating-point operations
 * with square roots. */
#include "kernel.h"

enum { BODIES = 5, STEPS = 50000 };

struct body {
  double x, y, z, vx, vy, vz, mass;
};
static struct body bodies[BODIES];

static void setup(void) {}

static void start(uint32_t round) {
  uint32_t state = 11 + round;
  for (int i = 0; i < BODIES; ++i) {
    struct body* const body = &bodies[i];
    body->x = 10.0 * i + (double)(next_random(&state) % 1000) / 250;
    body->y = (double)(next_random(&state) % 1000) / 100 - 5;
    body->z = (double)(next_random(&state) % 1000) / 1000;
    body->vx = (double)(next_random(&state) % 1000) / 1000 - 0.5;
    body->vy = (double)(next_random(&state) % 1000) / 500 - 1;
    body->vz = (double)(next_random(&state) % 1000) / 5000;
    body->mass = i == 0 ? 39.5 : 0.01 * i;
  }
}

static void advance(double dt) {
  for (int i = 0; i < BODIES; ++i) {
    struct body* const a = &bodies[i];
    for (int j = i + 1; j < BODIES; ++j) {
      struct body* const b = &bodies[j];
      const double dx = a->x - b->x;
      const double dy = a->y - b->y;
      const double dz = a->z - b->z;
      const double distance = dx * dx + dy * dy + dz * dz;
      const double magnitude = dt / (distance * __builtin_sqrt(distance));
      a->vx -= dx * b->mass * magnitude;
      a->vy -= dy * b->mass * magnitude;
      a->vz -= dz * b->mass * magnitude;
      b->vx += dx * a->mass * magnitude;
      b->vy += dy * a->mass * magnitude;
      b->vz += dz * a->mass * magnitude;
    }
  }
  for (int i = 0; i < BODIES; ++i) {
    bodies[i].x += dt * bodies[i].vx;
    bodies[i].y += dt * bodies[i].vy;
    bodies[i].z += dt * bodies[i].vz;
  }
}

KERNEL_WORK uint64_t work(uint32_t round) {
  start(round);
  for (int t = 0; t < STEPS; ++t) advance(0.01);
  uint64_t hash = 0;
  for (int i = 0; i < BODIES; ++i) hash = mix_double(mix_double(hash, bodies[i].x), bodies[i].vy);
  return hash;
}

KERNEL(12)
