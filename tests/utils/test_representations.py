import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from matplotlib.text import Text

from utils.representations import plot_activations, plot_embeddings, principal_components


def test_principal_components_find_the_directions_that_made_the_data():
    rng = np.random.default_rng(0)
    directions = np.linalg.qr(rng.normal(size=(5, 2)))[0].T
    spread = rng.normal(size=(1000, 2)) * [3, 1]
    coordinates, shares = principal_components(spread @ directions + 7)
    recovered = np.abs(np.corrcoef(coordinates.T, spread.T)[:2, 2:])
    np.testing.assert_allclose(recovered, np.eye(2), atol=0.1)
    np.testing.assert_allclose(shares.sum(), 1)
    np.testing.assert_allclose(shares[0], spread[:, 0].var() / spread.var(axis=0).sum(), atol=0.01)


vectors = arrays(np.float64, st.tuples(st.integers(2, 8), st.integers(2, 6)), elements=st.floats(-10, 10, width=16))


@given(vectors.filter(lambda table: np.ptp(table, axis=0).max() > 0.01))
def test_all_principal_components_together_keep_every_distance(table):
    coordinates, shares = principal_components(table, count=min(table.shape))
    before, after = (np.linalg.norm(x[:, np.newaxis] - x, axis=-1) for x in (table, coordinates))
    np.testing.assert_allclose(after, before, atol=1e-6)
    np.testing.assert_allclose(coordinates.mean(axis=0), 0, atol=1e-9)
    assert shares.sum() == pytest.approx(1)
    assert (np.diff(shares) <= 1e-12).all()


def test_a_map_does_not_depend_on_the_signs_that_the_decomposition_happens_to_choose(monkeypatch):
    table = np.random.default_rng(1).normal(size=(9, 4))
    expected, _ = principal_components(table)
    decompose = np.linalg.svd

    def flipped(*arguments, **options):
        left, values, right = decompose(*arguments, **options)
        return -left, values, -right

    monkeypatch.setattr(np.linalg, "svd", flipped)
    np.testing.assert_allclose(principal_components(table)[0], expected)


def test_vectors_without_a_map_are_refused_with_the_reason():
    with pytest.raises(ValueError, match=r"shape \(items, dimensions\).*got \(3,\)"):
        principal_components([1, 2, 3])
    with pytest.raises(ValueError, match=r"at least 2.*got \(1, 5\)"):
        principal_components(np.ones((1, 5)))
    with pytest.raises(ValueError, match="NaN"):
        principal_components([[1, np.nan], [0, 1]])
    with pytest.raises(ValueError, match="all 3 vectors are equal"):
        principal_components(np.full((3, 4), 0.1))


def test_an_embedding_map_shows_each_vector_with_its_label_and_the_variance_it_keeps():
    figure = plot_embeddings([[0, 3, 0], [0, -3, 0], [1, 0, 0], [-1, 0, 0]], ["up", " ", "right", "$x$"])
    (panel,) = figure.axes
    np.testing.assert_allclose(panel.collections[0].get_offsets(), [[3, 0], [-3, 0], [0, 1], [0, -1]], atol=1e-12)
    assert [label.get_text() for label in panel.texts] == ["up", "␣", "right", "$x$"]
    assert panel.get_xlabel() == "principal component 1 (90% of the variance)"
    assert panel.get_ylabel() == "principal component 2 (10% of the variance)"
    assert figure.alt_text == (
        "Map of 4 embeddings on their first two principal components, which hold 90% and 10% of the variance. At its "
        "edges lie: left ␣, right up, bottom $x$, top right."
    )


def test_long_labels_are_cut():
    (panel,) = plot_embeddings(np.eye(2), ["x" * 24, "y" * 25]).axes
    assert [label.get_text() for label in panel.texts] == ["x" * 24, "y" * 23 + "…"]


@pytest.mark.parametrize("count", [3, 26, 60])
def test_labels_lie_on_the_panel_and_do_not_cover_each_other(count):
    rng = np.random.default_rng(count)
    figure = plot_embeddings(rng.normal(size=(count, 8)), [f"word{number}" for number in range(count)])
    (panel,) = figure.axes
    figure.draw_without_rendering()
    boxes = [Text.get_window_extent(label) for label in panel.texts]  # without the line to the point
    whole = panel.get_window_extent()
    assert all(whole.containsx(box.x0) and whole.containsx(box.x1) for box in boxes)
    pairs = [(one, other) for number, one in enumerate(boxes) for other in boxes[:number]]
    assert not any(one.shrunk(0.98, 0.98).overlaps(other.shrunk(0.98, 0.98)) for one, other in pairs)


def test_an_embedding_map_needs_a_label_for_each_vector():
    with pytest.raises(ValueError, match="2 labels do not fit 3 vectors"):
        plot_embeddings(np.eye(3), "ab")


@pytest.mark.parametrize("sign", [1, -1])
def test_activations_are_drawn_under_their_text_in_rows_with_white_at_0(sign):
    activations = np.arange(14).reshape(7, 2) / 13 * sign
    figure = plot_activations("a b\ncde", activations, width=3)
    *rows, colorbar = figure.axes
    assert [[label.get_text() for label in row.get_xticklabels()] for row in rows] == [
        ["a", "␣", "b"],
        ["↵", "c", "d"],
        ["e"],
    ]
    drawn = np.concatenate([row.images[0].get_array().T for row in rows])
    np.testing.assert_array_equal(drawn, activations)
    assert {row.images[0].get_clim() for row in rows} == {(-1, 1)}
    assert rows[2].get_xlim() == (5.5, 8.5)  # a short last row keeps the width of a time step
    assert colorbar.get_ylabel() == "activation"


def test_words_can_label_the_time_steps():
    figure = plot_activations(["a", "good", "film"], np.zeros((3, 1)))
    assert [label.get_text() for label in figure.axes[0].get_xticklabels()] == ["a", "good", "film"]


def test_activations_are_told_in_words():
    activations = np.zeros((4, 3))
    activations[1, 2] = 0.8
    activations[3, 0] = -0.4
    assert plot_activations("ab d", activations).alt_text == (
        "Heat map of activations, units by time steps (3 by 4): highest 0.80 in unit 2 at step 1 (b) and lowest -0.40 "
        "in unit 0 at step 3 (d). Unit 2 varies most, with a standard deviation of 0.35."
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("ab", np.ones((1, 2, 3))), r"\(time, units\), got \(1, 2, 3\): pass those of one text"),
        (("", np.ones((0, 3))), r"got \(0, 3\)"),
        (("abc", np.ones((2, 3))), "3 tokens do not fit 2 time steps"),
        (("ab", np.array([[1, np.nan], [0, 0]])), "NaN"),
        (("ab", np.ones((2, 3)), 0), "width must be at least 1"),
    ],
)
def test_activations_that_fit_no_text_are_refused_with_both_shapes(arguments, message):
    with pytest.raises(ValueError, match=message):
        plot_activations(*arguments)
