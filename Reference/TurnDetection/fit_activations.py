"""Fits the rational functions of Sources/Inference/Graph/OddRational.swift and prints their coefficients.

Each is x P(x^2) / Q(x^2) with Q(0) = 1, fitted on [0, limit] for the least maximum error by Lawson's method: least
squares, again and again, each time with more weight where the error was large.
"""

import math

import numpy as np


def fit(function, limit, p_degree, q_degree, rounds=60, points=4000):
    x = np.sort(limit / 2 * (1 - np.cos(np.pi * (np.arange(points) + 0.5) / points)))
    y, u = function(x), (x / limit) ** 2
    weight, denominator, best = np.ones(points), np.ones(points), (np.inf,)
    for _ in range(rounds):
        powers = u[:, None] ** np.arange(max(p_degree, q_degree) + 1)
        a = np.hstack([x[:, None] * powers[:, :p_degree + 1], -y[:, None] * powers[:, 1:q_degree + 1]])
        w = np.sqrt(weight) / denominator
        c = np.linalg.lstsq(a * w[:, None], y * w, rcond=None)[0]
        p, q = c[:p_degree + 1], np.concatenate([[1], c[p_degree + 1:]])
        denominator = np.abs(np.polyval(q[::-1], u))
        error = np.abs(x * np.polyval(p[::-1], u) / np.polyval(q[::-1], u) - y)
        if error.max() < best[0]:
            scale = limit ** 2
            best = error.max(), p / scale ** np.arange(len(p)), q / scale ** np.arange(len(q))
        weight *= error + 1e-3 * error.max()
        weight /= weight.sum()
    return best


def main():
    erf = np.vectorize(lambda x: math.erf(x / math.sqrt(2)))
    for name, function, limit, degree in (("erf(x/sqrt 2)", erf, 4 * math.sqrt(2), 5), ("tanh", np.tanh, 8.0, 4)):
        error, p, q = fit(function, limit, degree, degree)
        print(f"{name} on [0, {limit:.6f}], error {error:.1e}")
        print("  P", *map(str, p.astype(np.float32)))
        print("  Q", *map(str, q.astype(np.float32)))


if __name__ == "__main__":
    main()
