"""Group normalisation; with one channel per group, instance normalisation.

Formula
    the channels of one example are split into g groups of c/g adjacent ones
    μ = 1/m Σ x,  σ² = 1/m Σ (x − μ)²    over all places and the channels of one group
    y = γ (x − μ) / √(σ² + ε) + β
Shapes
    x : (b, ..., c)    a batch, channels last; the axes between are places
    gamma : (c,)    scales; 1 if not given
    beta : (c,)    shifts; 0 if not given
    y : (b, ..., c)
Source
    Wu and He 2018, Group normalization, eqs. (1) to (7). arXiv:1803.08494
    Ulyanov, Vedaldi, Lempitsky 2016, Instance normalization. arXiv:1607.08022
Choices
    γ and β are per channel, not per group. Without `groups` each channel is a group: instance normalisation.
    One group is layer normalisation over places and channels, except for γ and β (normalization.py).
    ε is inside the root. Its default is torch's, 1e-5 (Keras 1e-3, Flax 1e-6).
    Channels are last, as in Keras and Flax; torch has them second.
    Conditioning of group-norm/*/* up to 8: dx is what is left of dn without its mean and its part along n,
    two sums whose terms, all places of a group, are rounded in any order.
"""

from reference.normalization import affine, affine_vjp, standardize, standardize_vjp

AXES = (1, 3)  # of (b, places, g, c/g)


def group_norm(x, gamma=None, beta=None, *, groups=None, eps=1e-5):
    """y = γ n + β with n of mean 0 and variance σ² / (σ² + ε) in every group."""
    n = standardize(_split(x, groups), AXES, eps)[0]
    return affine(n.reshape(x.shape), gamma, beta)


def group_norm_vjp(dy, x, gamma=None, beta=None, *, groups=None, eps=1e-5):
    """The chain rule of `affine`, then that of `standardize`, group by group."""
    n, _, s = standardize(_split(x, groups), AXES, eps)
    dn, grads = affine_vjp(dy, n.reshape(x.shape), gamma, beta)
    return {"x": standardize_vjp(_split(dn, groups), n, s, AXES).reshape(x.shape)} | grads


def _split(x, groups):
    groups = groups or x.shape[-1]
    return x.reshape(len(x), -1, groups, x.shape[-1] // groups)  # (b, places, g, c/g)
