#pragma once

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>
#include <c10/core/Device.h>

namespace diffuse {

/// While it lives, the device's default generator goes on from `generator`; then `generator` goes
/// on from there and the default one is as before. The dropout of TorchScript and of LibTorch's
/// attention knows the default generator alone; with this its numbers are those of the generator
/// that was passed in, so that a seed gives the same bytes and a checkpoint that keeps that
/// generator keeps them too. A state is 5 kB on the CPU and 16 bytes of host memory on CUDA, where
/// drawing a seed would wait for the device. Nothing where `generator` is undefined.
class DefaultGeneratorFrom {
 public:
  DefaultGeneratorFrom(const at::Generator& generator, at::Device device);
  ~DefaultGeneratorFrom();
  DefaultGeneratorFrom(const DefaultGeneratorFrom&) = delete;
  DefaultGeneratorFrom& operator=(const DefaultGeneratorFrom&) = delete;

 private:
  at::Generator generator_;
  at::Generator default_;
  at::Tensor default_state_;
};

}  // namespace diffuse
