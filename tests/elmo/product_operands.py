"""What the tests of products multiply, and what holds for all of them."""

import torch

# the shapes of an LSTM's products in the published small and original models, and others
SHAPES = [(128, 4096), (1024, 128), (512, 16384), (4096, 512), (70, 30), (1, 1)]


def operands(inputs, outputs, rows=500):
    generator = torch.Generator().manual_seed(inputs)
    W = torch.randn(inputs, outputs, generator=generator) / inputs**0.5
    b = torch.randn(outputs, generator=generator)
    x = torch.randn(rows, inputs, generator=generator)
    return W, b, x, torch.randn(rows, outputs, generator=generator)


def assert_steady(product, x, other):
    all_rows = product(x)
    all_sums = product.plus(other.clone(), x)
    for n in [*range(1, 20), 31, 32, 33, 100, 384]:
        assert torch.equal(product(x[:n]), all_rows[:n])
        assert torch.equal(product.plus(other[:n].clone(), x[:n]), all_sums[:n])
