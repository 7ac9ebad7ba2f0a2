"""What poisons do to a victim, worked out independently of Fathom: NumPy and PyTorch alone.

    python make_oracles.py FOLDER oracles.json      FOLDER holds Fashion-MNIST's four .gz files

What the file holds already is not worked out again, so an interrupted run goes on.
The bounds that BehaviourTests.swift holds Fathom to are in the file too, worked out from the numbers
by the rule of README.md, which was written before Fathom's own were looked at. Methods follow their papers and are short rather than fast; no code or random stream is shared with Fathom,
so only effects can be compared, never bits.
"""

import gzip
import json
import sys

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# Class-wise patterns are four times as loud as the usual 8/255, as gray data and few images want.
LOUD, EPS = 32 / 255, 16 / 255
K, TRAIN, TEST, EPOCHS, BATCH, SEEDS = 10, 200, 100, 20, 32, 3
torch.set_num_threads(1)


def read(folder, part, per_class):
    name = "train" if part == "train" else "t10k"
    with gzip.open(f"{folder}/{name}-images-idx3-ubyte.gz") as file:
        x = np.frombuffer(file.read(), np.uint8, offset=16).reshape(-1, 1, 28, 28)
    with gzip.open(f"{folder}/{name}-labels-idx1-ubyte.gz") as file:
        y = np.frombuffer(file.read(), np.uint8, offset=8)
    chosen = np.concatenate([np.flatnonzero(y == k)[:per_class] for k in range(K)])
    return x[chosen] / 255.0, y[chosen].astype(np.int64)


def quantised(p):
    return np.floor(255 * np.clip(p, 0, 1) + 0.5) / 255


class SmallCNN(nn.Module):
    """Four 3x3 convolutions with batch norm, max pooling after the first three."""

    def __init__(self, width=8):
        super().__init__()
        layers, before = [], 1
        for number, channels in enumerate([width, 2 * width, 4 * width, 4 * width]):
            layers += [nn.Conv2d(before, channels, 3, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(channels), nn.ReLU()]
            layers += [nn.MaxPool2d(2)] if number < 3 else []
            before = channels
        self.body, self.head = nn.Sequential(*layers), nn.Linear(before, K)

    def forward(self, x):
        return self.head(self.body(x).mean((2, 3)))


def tensor(x):
    return torch.as_tensor(x if torch.is_tensor(x) else np.ascontiguousarray(x)).float()


def pgd(net, x, y, d, steps, step, eps, sign):
    """Moves d along the sign of the loss's gradient within eps and the range of pixels."""
    was = net.training
    net.eval()
    for _ in range(steps):
        d = d.detach().requires_grad_(True)
        F.cross_entropy(net(x + d), y, reduction="sum").backward()
        d = (d + sign * step * d.grad.sign()).detach().clamp(-eps, eps)
        d = (x + d).clamp(0, 1) - x
    net.train(was)
    return d


def accuracy(net, x, y):
    net.eval()
    with torch.no_grad():
        return float((net(tensor(x)).argmax(1).numpy() == y).mean())


def train(x, y, seed, epochs=EPOCHS, at=None, cutout=False):
    """Returns the network and its running training accuracy after every epoch."""
    torch.manual_seed(seed)
    net = SmallCNN()
    optimizer = torch.optim.SGD(net.parameters(), 0.05, momentum=0.9, weight_decay=5e-4)
    x, y = tensor(x), torch.tensor(y)
    course = []
    for _ in range(epochs):
        right = 0
        for chosen in torch.randperm(len(x)).split(BATCH):
            xb, yb = x[chosen], y[chosen]
            if cutout:
                xb = xb.clone()
                for image in xb:
                    r, c = torch.randint(28, (2,)).tolist()
                    image[:, max(0, r - 7) : r + 7, max(0, c - 7) : c + 7] = 0
            if at:
                eps, step = at
                d = (step * torch.randn_like(xb)).clamp(-eps, eps)
                d = (xb + d).clamp(0, 1) - xb
                xb = xb + pgd(net, xb, yb, d, 3, step, eps, 1)
            out = net(xb)
            right += int((out.argmax(1) == yb).sum())
            optimizer.zero_grad()
            F.cross_entropy(out, yb).backward()
            optimizer.step()
        course.append(right / len(x))
    return net, course


# Poisons: a function of images, keys and a generator's seed for what is drawn for images, so that
# fresh images of a class can carry the class's pattern. `secret` draws what belongs to classes.


def rand_c(x, y, secret, seed):
    pattern = np.random.default_rng(secret).uniform(-LOUD, LOUD, (K, 1, 28, 28))
    return quantised(x + pattern[y])


def lsp(x, y, secret, seed):
    own, rng = np.random.default_rng(secret), np.random.default_rng(seed)
    corners = own.choice([-10.0, 10.0], (K, 16))
    mixes = own.uniform(-1, 1, (K, 16, 16))
    out = np.empty_like(x)
    for i, k in enumerate(y):
        v = (rng.normal(size=16) @ mixes[k] + corners[k]).reshape(4, 4)
        d = np.kron(v, np.ones((7, 7)))
        out[i, 0] = x[i, 0] + d * (6 / 255 * 28) / np.linalg.norm(d)
    return quantised(out)


class OPS:
    """Fitted to training images once; then it is a pixel a class."""

    def __init__(self, x, y):
        taken, self.pixels = set(), []
        for k in range(K):
            own = x[y == k]
            best = None
            for value in (0.0, 1.0):
                far = np.abs(value - own)[:, 0]
                mean, std = far.mean(0), np.maximum(far.std(0), 1 / 255)
                score = np.where(mean < 1e-3, 0, mean / std)
                for r in range(28):
                    for c in range(28):
                        if (r, c, value) in taken:
                            continue
                        rank = (score[r, c], -((r - 13.5) ** 2 + (c - 13.5) ** 2))
                        if best is None or rank > best[0]:
                            best = (rank, (r, c, value))
            taken.add(best[1])
            self.pixels.append(best[1])

    def __call__(self, x, y, secret, seed):
        out = x.copy()
        for i, k in enumerate(y):
            r, c, value = self.pixels[k]
            out[i, 0, r, c] = value
        return out


def cuda(x, y, secret, seed):
    rng = np.random.default_rng(secret)
    kernels = rng.uniform(0, 0.3, (K, 9))
    kernels[np.arange(K), rng.integers(9, size=K)] = 1
    out = np.zeros_like(x)
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    for place in range(9):
        r, c = place // 3, place % 3
        out += kernels[y, place][:, None, None, None] * padded[:, :, r : r + 28, c : c + 28]
    top = out.max((1, 2, 3), keepdims=True)
    return quantised(np.where(top > 0, out / np.maximum(top, 1e-9), 0))


def ar_signals(weights, rng):
    """One signal for each row of weights, `[rows, 9]`, and its norm before it is scaled to 1."""
    canvas = rng.normal(size=(len(weights), 32, 32))
    for r in range(2, 32):
        for c in range(2, 32):
            window = canvas[:, r - 2 : r + 1, c - 2 : c + 1].reshape(-1, 9)
            canvas[:, r, c] = np.einsum("nk,nk->n", weights, window)
    signals = canvas[:, 4:, 4:]
    norms = np.sqrt((signals**2).sum((1, 2)))
    norms = np.where(np.isfinite(norms) & (norms > 0), norms, np.inf)
    return signals / norms[:, None, None], norms


def ar_response(weights, signal):
    kernel = weights.copy()
    kernel[8] = -1
    windows = np.lib.stride_tricks.sliding_window_view(signal, (3, 3)).reshape(-1, 9)
    return np.maximum(windows @ kernel, 0).sum()


def ar_processes(secret, pool=2000):
    """Both directions at least 5 apart, as the specification advises; a choice that nothing in a
    pool can be added to is given up, and begun again with the next pool."""
    rng = np.random.default_rng(secret)
    with np.errstate(all="ignore"):
        while True:
            kept = []
            weights = rng.normal(size=(pool, 9))
            weights[:, 8] = 0
            weights /= weights.sum(1, keepdims=True)
            draws = [ar_signals(weights, rng) for _ in range(3)]
            stable = np.all([norms <= 50 for _, norms in draws], 0)
            for w, signal in zip(weights[stable], draws[-1][0][stable]):
                if all(ar_response(v, signal) > 5 and ar_response(w, s) > 5 for v, s in kept):
                    kept.append((w, signal))
                if len(kept) == K:
                    return [w for w, _ in kept]


def ar(x, y, secret, seed, cache={}):
    if secret not in cache:
        cache[secret] = ar_processes(secret)
    weights = np.stack(cache[secret])[y]
    out = x + 0.5052 * ar_signals(weights, np.random.default_rng(seed))[0][:, None]
    return quantised(out)


def em(x, y, secret, seed):
    """Sample-wise; what a fresh image carries is the noise of a training image of its key."""
    torch.manual_seed(secret)
    net = SmallCNN()
    optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, weight_decay=5e-4)
    x, y = tensor(x), torch.tensor(y)
    d, order, cursor = torch.zeros_like(x), torch.randperm(len(x)).split(128), 0
    for _ in range(12):
        for _ in range(10):
            chosen = order[cursor % len(order)]
            optimizer.zero_grad()
            F.cross_entropy(net(x[chosen] + d[chosen]), y[chosen]).backward()
            nn.utils.clip_grad_norm_(net.parameters(), 5)
            optimizer.step()
            cursor += 1
        for chosen in order:
            d[chosen] = pgd(net, x[chosen], y[chosen], d[chosen], 5, EPS / 5, EPS, -1)
        if 1 - accuracy(net, x + d, y.numpy()) <= 0.01:
            break
        net.train()
    return quantised((x + d).numpy())


def em_c(x, y, secret, seed, cache={}):
    """Class-wise: fitted to the first images it is called with."""
    if secret not in cache:
        torch.manual_seed(secret)
        net = SmallCNN()
        optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, weight_decay=5e-4)
        tx, ty = tensor(x), torch.tensor(y)
        pattern = torch.zeros(K, 1, 28, 28)
        half = torch.cat([torch.nonzero(ty == k)[:100, 0] for k in range(K)])
        for _ in range(30):
            for _ in range(10):
                chosen = torch.randperm(len(tx))[:128]
                moved = (tx[chosen] + pattern[ty[chosen]]).clamp(0, 1)
                optimizer.zero_grad()
                F.cross_entropy(net(moved), ty[chosen]).backward()
                nn.utils.clip_grad_norm_(net.parameters(), 5)
                optimizer.step()
            for chosen in half[torch.randperm(len(half))].split(128):
                d = pgd(net, tx[chosen], ty[chosen], pattern[ty[chosen]], 1, LOUD / 10, LOUD, -1)
                for k in ty[chosen].unique():
                    pattern[k] = d[ty[chosen] == k].mean(0).clamp(-LOUD, LOUD)
            moved = (tx[half] + pattern[ty[half]]).clamp(0, 1)
            if 1 - accuracy(net, moved, ty[half].numpy()) <= 0.01:
                break
            net.train()
        cache[secret] = pattern.numpy()
    return quantised(x + cache[secret][y])


def rem(x, y, secret, seed, steps=300, batch=64):
    """The lite form: 4 steps of noise, 1 draw of crop and flip, 3 steps of the adversary."""
    torch.manual_seed(secret)
    net = SmallCNN()
    x, y = tensor(x), torch.tensor(y)
    optimizer = torch.optim.SGD(net.parameters(), 0.1, momentum=0.9, weight_decay=5e-4)
    ra = 4 / 255

    def view(z):
        r, c = torch.randint(7, (2,)).tolist()
        z = F.pad(z, (3, 3, 3, 3))[:, :, r : r + 28, c : c + 28]
        return z.flip(3) if torch.rand(()) < 0.5 else z

    def attacked(z, yb):
        d = (z + torch.empty_like(z).uniform_(-ra, ra)).clamp(0, 1) - z
        return pgd(net, z, yb, d, 3, 2 * ra / 3, ra, 1)

    def noise(xb, yb):
        d = torch.empty_like(xb).uniform_(-EPS, EPS)
        for _ in range(4):
            d.requires_grad_(True)
            z = view((xb + d).clamp(0, 1))
            a = attacked(z.detach(), yb)
            net.eval()
            (g,) = torch.autograd.grad(F.cross_entropy(net(z + a), yb, reduction="sum"), d)
            net.train()
            d = (d - EPS / 2 * g.sign()).detach().clamp(-EPS, EPS)
        return d

    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = 0.1 if step < 0.4 * steps else 0.01 if step < 0.8 * steps else 0.001
        chosen = torch.randperm(len(x))[:batch]
        z = view((x[chosen] + noise(x[chosen], y[chosen])).clamp(0, 1))
        a = attacked(z, y[chosen])
        optimizer.zero_grad()
        F.cross_entropy(net(z + a), y[chosen]).backward()
        optimizer.step()
    d = torch.cat([noise(x[i : i + 128], y[i : i + 128]) for i in range(0, len(x), 128)])
    return quantised((x + d).numpy())


def gray(poison, x, y, secret, seed):
    """A gray image with what the poison adds to a real one."""
    return np.clip(0.5 + poison(x, y, secret, seed) - x, 0, 1)


def questions(x, y, tx, ty):
    """Each question of a seed: the names of its answers, and what works them out together."""
    turned, ops = (ty + 1) % K, OPS(x, y)
    at8 = (8 / 255, 4 / 255)

    def clean(seed):
        net, course = train(x, y, seed)
        return accuracy(net, tx, ty), course[0]

    yield ("clean/test", "clean/epoch1"), clean
    poisons = {"rand-c": rand_c, "lsp": lsp, "ops": ops, "cuda": cuda, "ar": ar, "em-c": em_c}
    for name, poison in poisons.items():

        def followed(seed, poison=poison):
            net, _ = train(poison(x, y, seed, 100 + seed), y, seed)
            own, other = poison(tx, ty, seed, 200 + seed), poison(tx, turned, seed, 300 + seed)
            return accuracy(net, tx, ty), accuracy(net, own, ty), accuracy(net, other, turned)

        def alone(seed, poison=poison):
            net, _ = train(gray(poison, x, y, seed, 100 + seed), y, seed)
            return (accuracy(net, gray(poison, tx, ty, seed, 200 + seed), ty),)

        yield (f"{name}/test", f"{name}/true-keys", f"{name}/other-keys"), followed
        yield (f"{name}/gray",), alone
    for name, poison in {"em-s": em, "rem": rem}.items():

        def robust(seed, poison=poison):
            px = poison(x, y, seed, 0)
            net, course = train(px, y, seed)
            hardened, _ = train(px, y, seed, at=(4 / 255, 2 / 255))
            return accuracy(net, tx, ty), course[0], accuracy(hardened, tx, ty)

        yield (f"{name}/test", f"{name}/epoch1", f"{name}/at4"), robust
    for name, poison in {"clean": None, "rand-c": rand_c, "ops": ops}.items():

        def defended(seed, poison=poison):
            px = poison(x, y, seed, 0) if poison else x
            net, _ = train(px, y, seed, at=at8)
            return (accuracy(net, tx, ty),)

        yield (f"{name}/at8",), defended
    for name, poison in {"clean": None, "ops": ops}.items():

        def cut(seed, poison=poison):
            net, _ = train(poison(x, y, seed, 0) if poison else x, y, seed, cutout=True)
            return (accuracy(net, tx, ty),)

        yield (f"{name}/cutout",), cut


CLASS_WISE = ["rand-c", "lsp", "ops", "cuda", "ar", "em-c"]

# What is claimed, as a difference that should be above nought: two rows, or a row and a number.
CLAIMS = {
    **{f"{name}/damage": ("clean/test", f"{name}/test") for name in CLASS_WISE + ["em-s", "rem"]},
    **{f"{name}/keys": (f"{name}/true-keys", f"{name}/test") for name in CLASS_WISE},
    **{f"{name}/led": (f"{name}/other-keys", 0.0) for name in CLASS_WISE},
    **{f"{name}/gray": (f"{name}/gray", 0.1) for name in CLASS_WISE},
    "em-s/early": ("em-s/epoch1", "clean/epoch1"),
    "rem/robust": ("em-s/at4", "rem/at4"),
    "rand-c/restored": ("rand-c/at8", "rand-c/test"),
    "ops/cutout-not-at": ("ops/cutout", "ops/at8"),
}
LEAST = 0.15


def claims(rows):
    """Each claim's difference for every seed; and the bound, half their mean, if all seeds agree."""
    found = {}
    for name, (more, less) in CLAIMS.items():
        if len(rows.get(more, [])) < SEEDS or not isinstance(less, float) and (
            len(rows.get(less, [])) < SEEDS
        ):
            continue
        others = [less] * SEEDS if isinstance(less, float) else rows[less]
        gaps = [round(a - b, 4) for a, b in zip(rows[more], others)]
        bound = round(sum(gaps) / len(gaps) / 2, 4) if min(gaps) >= LEAST else None
        found[name] = {"more": more, "less": less, "found": gaps, "bound": bound}
    return found


def main(folder, path):
    x, y = read(folder, "train", TRAIN)
    tx, ty = read(folder, "test", TEST)
    try:
        with open(path) as file:
            rows = json.load(file)["rows"]
    except FileNotFoundError:
        rows = {}
    versions = {"torch": torch.__version__, "numpy": np.__version__}

    def save():
        with open(path, "w") as file:
            whole = {**versions, "seeds": SEEDS, "rows": rows, "claims": claims(rows)}
            json.dump(whole, file, indent=1)
            file.write("\n")

    for seed in range(SEEDS):
        for names, answer in questions(x, y, tx, ty):
            if all(len(rows.get(name, [])) > seed for name in names):
                continue
            for name, value in zip(names, answer(seed)):
                rows.setdefault(name, []).append(round(value, 4))
                print(name, seed, round(value, 3), file=sys.stderr, flush=True)
            save()
    save()


main(*sys.argv[1:])
