// Virtual calls: shapes of several classes behind one interface.
#include "kernel.h"

namespace {

class Shape {
 public:
  virtual double area() const { return 0; }
  virtual void grow(double by) { (void)by; }
  virtual unsigned corners() const { return 0; }

 protected:
  ~Shape() = default;
};

class Circle final : public Shape {
 public:
  double area() const override { return 3.141592653589793 * radius_ * radius_; }
  void grow(double by) override { radius_ += by; }

 private:
  double radius_ = 1;
};

class Rectangle : public Shape {
 public:
  double area() const override { return width_ * height_; }
  void grow(double by) override {
    width_ += by;
    height_ += by;
  }
  unsigned corners() const override { return 4; }

 protected:
  double width_ = 1;
  double height_ = 2;
};

class Square final : public Rectangle {
 public:
  constexpr Square() { height_ = width_; }
};

class Triangle final : public Shape {
 public:
  double area() const override { return base_ * height_ / 2; }
  void grow(double by) override { base_ += by; }
  unsigned corners() const override { return 3; }

 private:
  double base_ = 3;
  double height_ = 1;
};

constexpr int kEach = 256;
constexpr int kShapes = 4 * kEach;
// Constants to begin with: nobody runs constructors in a module without a library.
constinit Circle circles[kEach];
constinit Rectangle rectangles[kEach];
constinit Square squares[kEach];
constinit Triangle triangles[kEach];
Shape* shapes[kShapes];

// Shapes in runs of one to eight of the same class.
void setup() {
  uint32_t state = 19;
  int used[4] = {};
  for (int i = 0; i < kShapes;) {
    const uint32_t shape = next_random(&state) % 4;
    for (uint32_t left = 1 + next_random(&state) % 8; left > 0 && used[shape] < kEach; --left) {
      const int at = used[shape]++;
      Shape* const all[] = {&circles[at], &rectangles[at], &squares[at], &triangles[at]};
      shapes[i++] = all[shape];
    }
  }
}

KERNEL_WORK uint64_t work(uint32_t round) {
  for (int i = 0; i < kEach; ++i) {
    circles[i] = Circle();
    rectangles[i] = Rectangle();
    squares[i] = Square();
    triangles[i] = Triangle();
  }
  double total = 0;
  uint64_t corners = 0;
  for (int t = 0; t < 100; ++t) {
    for (Shape* const shape : shapes) {
      shape->grow(0.001);
      total += shape->area();
      corners += shape->corners();
    }
    for (Shape* const shape : shapes) shape->grow(-0.001);
  }
  return mix_double(corners + round, total);
}

}  // namespace

KERNEL(40)
