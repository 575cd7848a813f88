"""One page per formula: inputs, options, one build per framework, the Case."""
