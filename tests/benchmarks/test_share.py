"""What the encoder's share is computed from."""

from tests.benchmarks.share import operations, product, table


def test_operations_are_those_of_the_matrices_and_of_attention():
    """By hand: 5 pieces, width 2, inner 3, one layer, then two; texts add up."""
    # 4 matrices of 2 by 2 and 2 of 2 by 3 are 28 numbers; attention is 2 products of 5 by 5 by 2.
    assert operations([5], layers=1, width=2, inner=3) == 2 * 5 * 28 + 2 * 2 * 5 * 5 * 2
    assert operations([5, 5], layers=2, width=2, inner=3) == 4 * operations(
        [5], layers=1, width=2, inner=3
    )


def test_a_product_has_a_rate():
    """Small matrices, as long as any."""
    assert product((8, 8, 8), "float32")() > 0


def test_the_share_is_taken_within_each_round():
    """The encoder's share of itself is all."""
    told = table({"encoder (bf16)": [60.0, 90.0], "bf16 2 x 2 x 2": [100.0, 100.0]}, 1)
    assert told.splitlines() == [
        "| 1 core | GFLOP/s | the encoder's share |",
        "| --- | ---: | ---: |",
        "| encoder (bf16) | 75 (60–90) | 100% (100%–100%) |",
        "| bf16 2 x 2 x 2 | 100 (100–100) | 75% (60%–90%) |",
    ]
