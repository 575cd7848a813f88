"""The training loops of optimisers with what stands around a step, which several pages build."""
