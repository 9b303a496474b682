"""Tests of nemotron_asr.py with small checkpoints made here; standard library only.

usage: python3 Tools/convert/nemotron_asr_test.py

Tests of F16 and Q8_0 need numpy; without it they are reported as skipped.
"""

import collections
import io
import json
import math
import os
import pickle
import random
import struct
import subprocess
import sys
import tarfile
import tempfile
import types
import unittest
import zipfile
from array import array

FOLDER = os.path.dirname(os.path.abspath(__file__))
PROGRAM = os.path.join(FOLDER, "nemotron_asr.py")
sys.path.insert(0, FOLDER)
import hugging_face_checkpoint  # noqa: E402
import nemotron_layout  # noqa: E402

try:
    import numpy
except ImportError:
    numpy = None

PIECES = ["<unk>", "<en-US>", "\u2581a", "b", "\u2581th", "\u00e9"]
PROMPTS = {"en-US": 0, "no": 1, "auto": 3}
MODEL = nemotron_layout.Model(
    name="tiny", d_model=32, n_layers=1, n_heads=2, d_ff=64, left_context=4, right_context=1, vocab_size=7,
    pred_hidden=32, pred_rnn_layers=1, joint_hidden=32, pieces=PIECES, conv_kernel_size=3, subsampling_conv_channels=32,
    feat_in=16, use_bias=True, pos_emb_max_len=16, num_prompts=4, prompt_hidden=32, prompt_dictionary=PROMPTS)
NEMO_CONFIG = {
    "name": "tiny",
    "preprocessor": {"sample_rate": 16000, "normalize": "NA", "window_size": 0.025, "features": 16, "n_fft": 512},
    "encoder": {"d_model": 32, "n_layers": 1, "n_heads": 2, "ff_expansion_factor": 2, "conv_kernel_size": 3,
                "subsampling": "dw_striding", "subsampling_factor": 8, "subsampling_conv_channels": 32, "feat_in": 16,
                "causal_downsampling": True, "self_attention_model": "rel_pos", "conv_norm_type": "layer_norm",
                "conv_context_size": "causal", "att_context_style": "chunked_limited", "xscaling": False,
                "use_bias": True, "pos_emb_max_len": 16, "att_context_size": [[4, 1], [4, 0]]},
    "decoder": {"prednet": {"pred_hidden": 32, "pred_rnn_layers": 1}},
    "joint": {"jointnet": {"joint_hidden": 32, "activation": "relu"}},
    "decoding": {"greedy": {"max_symbols": 10}},
    "model_defaults": {"num_prompts": 4, "prompt_dictionary": PROMPTS},
}
HUGGING_FACE_CONFIG = {
    "model_type": "nemotron3_5_asr", "_name_or_path": "nvidia/tiny", "vocab_size": 7, "blank_token_id": 6,
    "decoder_hidden_size": 32, "num_decoder_layers": 1, "hidden_act": "relu", "max_symbols_per_step": 10,
    "num_prompts": 4, "prompt_intermediate_size": 32,
    "encoder_config": {
        "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "intermediate_size": 64,
        "attention_bias": True, "convolution_bias": True, "conv_kernel_size": 3, "subsampling_factor": 8,
        "subsampling_conv_channels": 32, "num_mel_bins": 16, "subsampling_conv_kernel_size": 3,
        "subsampling_conv_stride": 2, "max_position_embeddings": 16, "scale_input": False, "hidden_act": "silu",
        "sliding_window": 5, "default_num_lookahead_tokens": 1}}


def weights():
    """float32 values by the names of the layout, in PyTorch's shapes."""
    generator = random.Random(1)
    found = {}
    for name, shape, _ in nemotron_layout.tensors(MODEL):
        if "pointwise_conv" in name and name.endswith("weight"):
            shape += (1,)
        values = array("f", (generator.gauss(0, 1) for _ in range(math.prod(shape))))
        found[name] = (shape, values.tobytes())
    return found


WEIGHTS = weights()


# --- a .nemo archive

def nemo_name(name):
    """The layout's name as NeMo has it: only the LSTM's differ."""
    head, _, part = name.rpartition(".")
    lstm, _, place = head.rpartition(".")
    return f"{lstm}.{part}_{place}" if lstm.endswith("lstm") else name


class Pickler(pickle.Pickler):
    """Writes what torch.save writes for a state dictionary, without torch."""

    def persistent_id(self, item):
        return item.identifier if isinstance(item, Storage) else None

    def reducer_override(self, item):
        if isinstance(item, Tensor):
            return (sys.modules["torch._utils"]._rebuild_tensor_v2,
                    (item.storage, item.offset, item.shape, item.strides, False, collections.OrderedDict()))
        return NotImplemented


class Storage:
    def __init__(self, key, count, kind="FloatStorage"):
        self.identifier = ("storage", getattr(sys.modules["torch"], kind), key, "cpu", count)


class Tensor:
    def __init__(self, storage, shape, offset=0, strides=None):
        self.storage, self.shape, self.offset = storage, shape, offset
        self.strides = strides or tuple(math.prod(shape[i + 1:]) for i in range(len(shape)))


def fake_torch():
    """Modules with the names that a checkpoint refers to."""
    torch, utilities = types.ModuleType("torch"), types.ModuleType("torch._utils")
    for name in ("FloatStorage", "LongStorage"):
        setattr(torch, name, type(name, (), {"__module__": "torch"}))
    exec("def _rebuild_tensor_v2(*_): pass", utilities.__dict__)
    utilities._rebuild_tensor_v2.__module__ = "torch._utils"
    sys.modules["torch"], sys.modules["torch._utils"] = torch, utilities


def state_dictionary(found, strides=None):
    """(pickle, values by storage key)"""
    state, storages = collections.OrderedDict(), {}
    for key, (name, (shape, data)) in enumerate(found.items()):
        storages[str(key)] = data
        state[nemo_name(name)] = Tensor(Storage(str(key), len(data) // 4), shape, strides=strides)
    # As in every NeMo model; nobody needs them.
    storages["fb"] = bytes(4 * 16)
    state["preprocessor.featurizer.fb"] = Tensor(Storage("fb", 16), (16,))
    out = io.BytesIO()
    Pickler(out, 2).dump(state)
    return out.getvalue(), storages


def checkpoint(pickled, storages):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("model_weights/data.pkl", pickled)
        archive.writestr("model_weights/byteorder", "little")
        for key, data in storages.items():
            archive.writestr(f"model_weights/data/{key}", data)
    return out.getvalue()


def sentencepiece(pieces):
    def message(number, data):
        return bytes([number << 3 | 2, len(data)]) + data
    return b"".join(message(1, message(1, piece.encode())) for piece in pieces)


# --- reading the result

def gguf(path):
    """({key: value}, {name: (shape, type, bytes)}) of a GGUF file."""
    with open(path, "rb") as stream:
        data = stream.read()
    at = 4

    def take(form):
        nonlocal at
        value = struct.unpack_from("<" + form, data, at)[0]
        at += struct.calcsize("<" + form)
        return value

    def text():
        nonlocal at
        length = take("Q")
        at += length
        return data[at - length:at].decode()

    def scalar(kind):
        return text() if kind == 8 else take({4: "I", 5: "i", 6: "f", 7: "?"}[kind])

    assert data[:4] == b"GGUF" and take("I") == 3
    tensors, entries = take("Q"), take("Q")
    values = {}
    for _ in range(entries):
        key, kind = text(), take("I")
        if kind == 9:
            element, count = take("I"), take("Q")
            values[key] = [scalar(element) for _ in range(count)]
        else:
            values[key] = scalar(kind)
    table = []
    for _ in range(tensors):
        name, rank = text(), take("I")
        table.append((name, [take("Q") for _ in range(rank)], take("I"), take("Q")))
    base = at + -at % 32
    sizes = {0: (1, 4), 1: (1, 2), 8: (32, 34)}
    found = {}
    for name, shape, kind, offset in table:
        elements, size = sizes[kind]
        found[name] = (shape, kind, data[base + offset:base + offset + math.prod(shape) // elements * size])
    return values, found


class ConversionTests(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.out = os.path.join(self.folder, "out.gguf")

    def nemo(self, found=WEIGHTS, config=NEMO_CONFIG, pieces=PIECES, weights=None, mode="w"):
        path = os.path.join(self.folder, "tiny.nemo")
        members = {"./model_config.yaml": json.dumps(config).encode(),
                   "./model_weights.ckpt": weights or checkpoint(*state_dictionary(found)),
                   "./1234_tokenizer.model": sentencepiece(pieces)}
        with tarfile.open(path, mode) as archive:
            for name, data in members.items():
                entry = tarfile.TarInfo(name)
                entry.size = len(data)
                archive.addfile(entry, io.BytesIO(data))
        return path

    def hugging_face(self, found=WEIGHTS, config=HUGGING_FACE_CONFIG, parts=1, cut=0):
        folder = os.path.join(self.folder, "tiny")
        os.makedirs(folder)
        names = {hugging_face_name(name): entry for name, entry in found.items()}
        index = {}
        for part in range(parts):
            name = "model.safetensors" if parts == 1 else f"model-{part}.safetensors"
            chosen = dict(list(names.items())[part::parts])
            index.update(dict.fromkeys(chosen, name))
            data = safetensors(chosen)
            with open(os.path.join(folder, name), "wb") as file:
                file.write(data[:len(data) - cut])
        if parts > 1:
            self.write_json("tiny/model.safetensors.index.json", {"weight_map": index})
        self.write_json("tiny/config.json", config)
        self.write_json("tiny/processor_config.json", {"prompt_dictionary": PROMPTS})
        vocabulary = {piece: number for number, piece in enumerate(PIECES[:-1])}
        self.write_json("tiny/tokenizer.json", {"model": {"vocab": vocabulary}, "added_tokens": [
            {"id": 5, "content": PIECES[5]}, {"id": 6, "content": "<blank>"}]})
        return folder

    def write_json(self, name, content):
        with open(os.path.join(self.folder, name), "w", encoding="utf-8") as file:
            json.dump(content, file)

    def run_program(self, source, kind="f32"):
        return subprocess.run([sys.executable, PROGRAM, source, self.out, "--type", kind], stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True, check=False)

    def convert(self, source, kind="f32"):
        done = self.run_program(source, kind)
        self.assertEqual(done.returncode, 0, done.stderr)
        return gguf(self.out)

    def assert_refused(self, source, sentence, kind="f32"):
        done = self.run_program(source, kind)
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertRegex(done.stderr, r"\Aerror: [^\n]*\.\n\Z")
        self.assertIn(sentence, done.stderr)
        self.assertFalse(os.path.exists(self.out))
        self.assertFalse(os.path.exists(self.out + ".partial"))

    # --- what comes out

    def test_a_nemo_archive_keeps_every_value(self):
        _, found = self.convert(self.nemo())
        for name, (shape, data) in WEIGHTS.items():
            wanted = [extent for extent in reversed(shape)][1 if "pointwise_conv" in name and len(shape) == 3 else 0:]
            self.assertEqual(found[name], (wanted, 0, data), name)
        self.assertEqual(len(found), len(WEIGHTS) + 2)

    def test_both_sources_give_the_same_tensors(self):
        _, one = self.convert(self.nemo())
        _, other = self.convert(self.hugging_face())
        self.assertEqual(one, other)

    def test_both_sources_give_the_same_metadata(self):
        one, _ = self.convert(self.nemo())
        other, _ = self.convert(self.hugging_face())
        self.assertTrue(one.pop("asr.tokenizer.spm_model"))
        self.assertEqual(one, other)

    def test_the_metadata_is_that_of_the_model(self):
        values, _ = self.convert(self.nemo())
        for key, wanted in {"general.architecture": "asr", "general.file_type": 0, "asr.head_type": "rnnt",
                            "asr.encoder.d_model": 32, "asr.encoder.d_ff": 64, "asr.encoder.use_bias": True,
                            "asr.encoder.xscaling": False, "asr.encoder.train_left_ctx": 4,
                            "asr.encoder.offline_right_ctx": 1, "asr.rnnt.vocab_size": 7, "asr.rnnt.blank_id": 6,
                            "asr.rnnt.num_prompts": 4, "asr.tokenizer.vocab": PIECES,
                            "asr.rnnt.prompt_dictionary": ["en-US:0", "no:1", "auto:3"]}.items():
            self.assertEqual(values[key], wanted, key)

    def test_a_compressed_archive_is_read(self):
        plain = self.convert(self.nemo())
        self.assertEqual(self.convert(self.nemo(mode="w:gz")), plain)

    def test_several_safetensors_files_are_one_model(self):
        whole = self.convert(self.nemo())[1]
        self.assertEqual(self.convert(self.hugging_face(parts=3))[1], whole)

    def test_the_same_input_gives_the_same_bytes(self):
        source, files = self.nemo(), []
        for _ in range(2):
            self.convert(source)
            with open(self.out, "rb") as stream:
                files.append(stream.read())
        self.assertEqual(*files)

    @unittest.skipUnless(numpy, "needs numpy")
    def test_types_are_those_of_nvidias_files(self):
        for kind, matrix in (("q8_0", 8), ("f16", 1)):
            _, found = self.convert(self.nemo(), kind)
            for name, stored in {"encoder.layers.0.feed_forward1.linear1.weight": matrix,
                                 "encoder.layers.0.conv.pointwise_conv1.weight": matrix,
                                 "encoder.layers.0.self_attn.linear_pos.weight": matrix,
                                 "encoder.pre_encode.out.weight": matrix, "joint.joint_net.2.weight": matrix,
                                 "decoder.prediction.dec_rnn.lstm.hh_l0.weight": matrix,
                                 "encoder.layers.0.conv.depthwise_conv.weight": 1, "encoder.pre_encode.conv.3.weight": 1,
                                 "decoder.prediction.embed.weight": 1, "encoder.layers.0.self_attn.pos_bias_u": 0,
                                 "prompt_kernel.0.weight": 0, "joint.enc.bias": 0}.items():
                self.assertEqual(found[name][1], stored, f"{kind} {name}")

    @unittest.skipUnless(numpy, "needs numpy")
    def test_q8_0_is_near_and_rounds_halves_away_from_zero(self):
        _, found = self.convert(self.nemo(), "q8_0")
        name = "joint.enc.weight"
        block, values = found[name][2][:34], struct.unpack("<32f", WEIGHTS[name][1][:128])
        scale = struct.unpack("<e", block[:2])[0]
        for value, quantum in zip(values, struct.unpack("<32b", block[2:])):
            self.assertLessEqual(abs(value - scale * quantum), 0.51 * scale)
        from element_types import encode
        from gguf_writer import Q8_0
        halves = struct.pack("<32f", 127, 0.5, -0.5, 1.5, 2.5, -2.5, 0.49999997, *[0] * 25)
        self.assertEqual(struct.unpack("<7b", encode(halves, "float32", Q8_0)[2:9]), (127, 1, -1, 2, 3, -3, 0))

    # --- what is refused

    def test_a_missing_tensor_is_named(self):
        found = {name: entry for name, entry in WEIGHTS.items() if name != "joint.enc.weight"}
        self.assert_refused(self.nemo(found), "it has no tensor joint.enc.weight")

    def test_a_tensor_of_another_shape_is_named(self):
        found = dict(WEIGHTS, **{"joint.enc.weight": ((32, 31), bytes(32 * 31 * 4))})
        self.assert_refused(self.nemo(found), "joint.enc.weight has the shape [32, 31], not [32, 32]")

    def test_a_tensor_that_would_be_left_out_is_named(self):
        found = dict(WEIGHTS, **{"encoder.layers.1.norm_out.bias": ((32,), bytes(128))})
        self.assert_refused(self.nemo(found), "encoder.layers.1.norm_out.bias is not part")

    def test_another_architecture_is_named(self):
        for path, other in (("conv_norm_type", "batch_norm"), ("att_context_style", "regular"),
                            ("subsampling", "striding")):
            config = dict(NEMO_CONFIG, encoder=dict(NEMO_CONFIG["encoder"], **{path: other}))
            self.assert_refused(self.nemo(config=config), f"encoder.{path}")
        self.assert_refused(self.nemo(config=dict(NEMO_CONFIG, joint=None)), "no joint network")
        config = dict(HUGGING_FACE_CONFIG, model_type="parakeet_tdt")
        self.assert_refused(self.hugging_face(config=config), "it is a parakeet_tdt")

    def test_a_setting_that_makes_no_sense_is_named(self):
        for path, other in (("n_heads", 0), ("d_model", "wide"), ("att_context_size", []), ("n_layers", True)):
            config = dict(NEMO_CONFIG, encoder=dict(NEMO_CONFIG["encoder"], **{path: other}))
            self.assert_refused(self.nemo(config=config), path)

    def test_an_impossible_size_is_named_before_anything_is_computed(self):
        for path in ("n_layers", "pos_emb_max_len", "d_model"):
            config = dict(NEMO_CONFIG, encoder=dict(NEMO_CONFIG["encoder"], **{path: 1 << 40}))
            self.assert_refused(self.nemo(config=config), f"{path} is {1 << 40}, not from 1 to")

    def test_a_tokenizer_of_another_size_is_refused(self):
        self.assert_refused(self.nemo(pieces=PIECES[:-1]), "has the shape")

    def test_a_checkpoint_that_calls_a_function_is_not_run(self):
        trace = os.path.join(self.folder, "trace")

        class Harm:
            def __reduce__(self):
                return os.mkdir, (trace,)

        self.assert_refused(self.nemo(weights=checkpoint(pickle.dumps({"a": Harm()}, 2), {})), "wants to call")
        self.assertFalse(os.path.exists(trace))

    def test_a_cut_checkpoint_is_refused(self):
        whole = checkpoint(*state_dictionary(WEIGHTS))
        self.assert_refused(self.nemo(weights=whole[:len(whole) // 2]), "zip archive")
        pickled, storages = state_dictionary(WEIGHTS)
        self.assert_refused(self.nemo(weights=checkpoint(pickled[:-20], storages)), "pickle is damaged")
        storages["3"] = storages["3"][:-4]
        self.assert_refused(self.nemo(weights=checkpoint(pickled, storages)), "outside the checkpoint's values")
        del storages["3"]
        self.assert_refused(self.nemo(weights=checkpoint(pickled, storages)), "lacks the values")

    def test_a_transposed_view_is_refused(self):
        found = {"joint.enc.weight": WEIGHTS["joint.enc.weight"]}
        weights = checkpoint(*state_dictionary(found, strides=(1, 32)))
        self.assert_refused(self.nemo(weights=weights), "not stored row by row")

    def test_a_cut_safetensors_file_is_refused(self):
        self.assert_refused(self.hugging_face(cut=4), "cut off or damaged")

    def test_a_missing_part_is_named(self):
        folder = self.hugging_face(parts=2)
        os.remove(os.path.join(folder, "model-1.safetensors"))
        self.assert_refused(folder, "model-1.safetensors is missing")

    def test_an_index_does_not_leave_its_folder(self):
        folder = self.hugging_face(parts=2)
        self.write_json("tiny/model.safetensors.index.json", {"weight_map": {"a": "../other.safetensors"}})
        self.assert_refused(folder, "not beside it")

    def test_a_file_that_is_no_archive_is_refused(self):
        path = os.path.join(self.folder, "tiny.nemo")
        with open(path, "wb") as file:
            file.write(bytes(2000))
        self.assert_refused(path, "it")

    def test_a_source_that_is_not_there_is_one_sentence(self):
        done = self.run_program(os.path.join(self.folder, "nothing.nemo"))
        self.assertEqual(done.returncode, 74)
        self.assertRegex(done.stderr, r"\Aerror: [^\n]*\.\n\Z")


def hugging_face_name(name):
    """transformers' name: found by turning every candidate back, so that the map is written down once."""
    return next(candidate for candidate in HUGGING_FACE_NAMES if hugging_face_checkpoint.layout_name(candidate) == name)


def hugging_face_names():
    parts = ["subsampling.conv_in", "subsampling.linear"]
    parts += [f"subsampling.layers.{i}.{kind}_conv" for i in (0, 1) for kind in ("depthwise", "pointwise")]
    parts += [f"layers.0.{part}" for part in (
        "feed_forward1.linear1", "feed_forward1.linear2", "feed_forward2.linear1", "feed_forward2.linear2",
        "self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj", "self_attn.o_proj", "self_attn.relative_k_proj",
        "conv.pointwise_conv1", "conv.depthwise_conv", "conv.pointwise_conv2", "conv.norm", "norm_feed_forward1",
        "norm_self_att", "norm_conv", "norm_feed_forward2", "norm_out")]
    modules = [f"encoder.{part}" for part in parts] + ["encoder_projector", "decoder.embedding", "joint.head"]
    modules += ["decoder.decoder_projector", "prompt_projector.linear_1", "prompt_projector.linear_2"]
    names = [f"{module}.{kind}" for module in modules for kind in ("weight", "bias")]
    names += [f"encoder.layers.0.self_attn.bias_{kind}" for kind in ("u", "v")]
    return names + [f"decoder.lstm.{kind}_{place}_l0" for kind in ("weight", "bias") for place in ("ih", "hh")]


def safetensors(tensors):
    header, body = {"__metadata__": {"format": "pt"}}, b""
    for name, (shape, data) in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(shape), "data_offsets": [len(body), len(body) + len(data)]}
        body += data
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + body


HUGGING_FACE_NAMES = hugging_face_names()
fake_torch()

if __name__ == "__main__":
    unittest.main()
