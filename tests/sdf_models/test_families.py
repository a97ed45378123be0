"""State dicts of each family, saved as it saves them, open as the network that its definition says."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from engine import Network
from sdf_models import Checkpoint, CheckpointError, OpenQuestionError, Reading, load_checkpoint
from tests.sdf_models.agreement import assert_same_sides
from tests.sdf_models.definitions import (
    DeepSDFDecoder,
    Holder,
    ImplicitNet,
    ResidualMLP,
    new_weight_norm,
    old_weight_norm,
    plain_mlp,
    randomised,
)

POINTS = torch.rand(200, 3, generator=torch.Generator().manual_seed(5)) * 2 - 1
DIMS = [24, 24, 24, 24, 24, 24, 24, 24]
RELU = Reading(activation="relu")


def saved(folder: Path, content: Any, name: str = "net.pth", *, legacy: bool = False) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(content, folder / name, _use_new_zipfile_serialization=not legacy)
    return folder / name


def agrees(checkpoint: Checkpoint, expected: Tensor, points: Tensor = POINTS) -> None:
    """The module and the traced network give the expected values, up to the rounding of these in float32."""
    expected = expected.detach().double().reshape(-1)
    values = checkpoint.module(points.to(next(checkpoint.module.parameters()).dtype)).detach().double().reshape(-1)
    scale = float(expected.abs().max())
    assert float((values - expected).abs().max()) <= 5e-6 * scale
    network = Network.trace(checkpoint.module, input_shape=(checkpoint.domain.shape[1],))
    traced = network.forward(points.double().numpy())[:, 0]
    assert np.abs(traced - expected.numpy()).max() <= 5e-6 * scale
    assert checkpoint.domain.shape == (2, points.shape[1])


def question(path: Path, reading: Reading | None = None) -> OpenQuestionError:
    with pytest.raises(OpenQuestionError) as caught:
        load_checkpoint(path, reading)
    assert caught.value.question.option in str(caught.value)
    for alternative in caught.value.question.alternatives:
        assert alternative.value in str(caught.value)
        (reading or Reading()).answered(caught.value.question.choice, alternative.value)
    assert "\n" not in str(caught.value)
    return caught.value


def refusal(path: Path, reading: Reading | None = None) -> str:
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(path, reading)
    assert not isinstance(caught.value, OpenQuestionError)
    assert "; " in str(caught.value)
    return str(caught.value)


def noted(checkpoint: Checkpoint, words: str) -> bool:
    return any(words in note for note in checkpoint.notes)


# DeepSDF


@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("norm", [old_weight_norm, new_weight_norm])
@pytest.mark.parametrize(
    "options", [{"latent_in": [4]}, {"xyz_in_all": True}, {"latent_in": [4], "xyz_in_all": True}, {"use_tanh": True}]
)
def test_deepsdf_without_specs(tmp_path: Path, options: dict[str, Any], norm: Any, legacy: bool) -> None:
    decoder = randomised(DeepSDFDecoder(5, DIMS, norm=norm, **options))
    parallel = nn.DataParallel(decoder)
    path = saved(tmp_path, {"epoch": 2000, "model_state_dict": parallel.state_dict()}, legacy=legacy)
    assert question(path).question.choice == "latent"
    checkpoint = load_checkpoint(path, Reading(latent="zeros"))
    inputs = torch.cat([torch.zeros(len(POINTS), 5), POINTS], 1)
    agrees(checkpoint, decoder.linear_part(inputs))
    assert checkpoint.provenance["family"] == "deepsdf"
    assert checkpoint.provenance["epoch"] == "2000"
    assert noted(checkpoint, "weight norm")
    assert noted(checkpoint, "tanh, is left out")
    assert noted(checkpoint, "activation relu")
    assert checkpoint.last_activation.name == "tanh"
    assert not checkpoint.last_activation.known


def deepsdf_experiment(folder: Path, *, use_tanh: bool = False, count: int = 3) -> tuple[Path, nn.Module, Tensor]:
    """A folder as DeepSDF makes it: specs.json, ModelParameters, LatentCodes."""
    decoder = randomised(DeepSDFDecoder(6, DIMS, latent_in=[4], use_tanh=use_tanh))
    codes = torch.randn(count, 6, generator=torch.Generator().manual_seed(3))
    path = saved(
        folder / "ModelParameters",
        {"epoch": 100, "model_state_dict": nn.DataParallel(decoder).state_dict()},
        "latest.pth",
    )
    saved(folder / "LatentCodes", {"epoch": 100, "latent_codes": OrderedDict(weight=codes)}, "latest.pth")
    specs = {
        "NetworkArch": "deep_sdf_decoder",
        "CodeLength": 6,
        "NetworkSpecs": {"dims": DIMS, "latent_in": [4], "use_tanh": use_tanh, "weight_norm": True},
    }
    (folder / "specs.json").write_text(json.dumps(specs))
    return path, decoder, codes


@pytest.mark.parametrize("use_tanh", [False, True])
def test_deepsdf_experiment_with_its_codes(tmp_path: Path, use_tanh: bool) -> None:
    path, decoder, codes = deepsdf_experiment(tmp_path, use_tanh=use_tanh)
    asked = question(path).question
    assert {a.value for a in asked.alternatives} == {"zeros", "mean", "LatentCodes/latest.pth:0"}
    for latent, code in (
        ("LatentCodes/latest.pth:0", codes[0]),
        (f"{tmp_path}/LatentCodes/latest.pth:2", codes[2]),
        ("mean", codes.mean(0)),
        ("zeros", torch.zeros(6)),
    ):
        checkpoint = load_checkpoint(path, Reading(latent=latent))
        inputs = torch.cat([code.expand(len(POINTS), -1), POINTS], 1)
        agrees(checkpoint, decoder.linear_part(inputs))
        assert checkpoint.last_activation.known
        level = checkpoint.level(0.05)
        values = decoder.linear_part(inputs).flatten()
        assert_same_sides(values, level, decoder(inputs).flatten(), 0.05)
    assert noted(checkpoint, "specs.json")
    assert "holds 3 codes" in refusal(path, Reading(latent="LatentCodes/latest.pth"))
    assert "with the index 3; choose one from 0 to 2" in refusal(path, Reading(latent="LatentCodes/latest.pth:3"))
    assert "count codes from 0" in refusal(path, Reading(latent="LatentCodes/latest.pth:-1"))
    assert "no file" in refusal(path, Reading(latent="nowhere.pth:0"))


def test_older_latent_codes_in_a_tensor(tmp_path: Path) -> None:
    path, decoder, codes = deepsdf_experiment(tmp_path)
    saved(tmp_path / "LatentCodes", {"epoch": 1, "latent_codes": codes[:, None]}, "latest.pth")
    checkpoint = load_checkpoint(path, Reading(latent="LatentCodes/latest.pth:1"))
    agrees(checkpoint, decoder.linear_part(torch.cat([codes[1].expand(len(POINTS), -1), POINTS], 1)))


def changed_specs(path: Path, **changes: Any) -> None:
    """Fields of the experiment's specs.json in place of its own; None removes one."""
    file = path.parent.parent / "specs.json"
    specs = json.loads(file.read_text())
    for name, value in changes.items():
        (specs if name in ("CodeLength", "NetworkArch", "NetworkSpecs") else specs["NetworkSpecs"])[name] = value
    file.write_text(json.dumps(specs))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"CodeLength": 4}, "a code of 4 numbers, where this one takes 9 inputs"),
        ({"dims": [512] * 8}, "widths 512, not 24"),
        ({"dims": [24] * 7}, "8 layers, not 9"),
        ({"latent_in": [3]}, "latent_in: [3], where the shapes have [4]"),
        ({"latent_in": []}, "latent_in: [], where the shapes have [4]"),
        ({"NetworkArch": "another"}, "of the architecture 'another'"),
    ],
)
def test_specs_of_another_network_are_said_and_not_used(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    path, _, _ = deepsdf_experiment(tmp_path, use_tanh=True)
    assert load_checkpoint(path, Reading(latent="zeros")).last_activation.name == "tanh-twice"
    changed_specs(path, **changes)
    checkpoint = load_checkpoint(path, Reading(latent="zeros"))
    assert noted(checkpoint, f"{tmp_path / 'specs.json'} describes another network: {words}")
    assert checkpoint.last_activation.name == "tanh"
    assert not noted(checkpoint, "describes it")


def test_specs_of_another_network_do_not_settle_the_family(tmp_path: Path) -> None:
    net = randomised(ImplicitNet(3, [24] * 8, skip_in=(4,)))
    path = saved(tmp_path, net.state_dict(), "net.pth")
    dims = [24] * 8
    for latent_in, widths, certain in (([4], dims, True), ([], dims, False), ([4], [512] * 8, False)):
        specs = {"CodeLength": 0, "NetworkSpecs": {"dims": widths, "latent_in": latent_in}}
        (tmp_path / "specs.json").write_text(json.dumps(specs))
        if certain:
            assert load_checkpoint(path).provenance["family"] == "deepsdf"
        else:
            assert question(path).question.choice == "family"


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"latent_in": [1, "a"]}, "its latent_in is [1, 'a'], not a list of whole numbers"),
        ({"latent_in": [[1], 4]}, "its latent_in is [[1], 4]"),
        ({"latent_in": 4}, "its latent_in is 4"),
        ({"dims": [24, 2.5]}, "its dims is [24, 2.5]"),
        ({"dims": {}}, "its dims is {}"),
        ({"use_tanh": "yes"}, "its use_tanh is 'yes', not true or false"),
        ({"xyz_in_all": []}, "its xyz_in_all is []"),
        ({"CodeLength": True}, "its CodeLength is True"),
        ({"NetworkArch": 3}, "its NetworkArch is 3"),
        ({"NetworkSpecs": [1]}, "its NetworkSpecs is [1], not an object"),
    ],
)
def test_specs_of_other_types_are_refused(tmp_path: Path, changes: dict[str, Any], words: str) -> None:
    path, _, _ = deepsdf_experiment(tmp_path)
    changed_specs(path, **changes)
    assert words in refusal(path, Reading(latent="zeros"))


def test_layer_norm_of_deepsdf_is_refused(tmp_path: Path) -> None:
    decoder = randomised(DeepSDFDecoder(0, DIMS, norm=None, layer_norm=True))
    path = saved(tmp_path, {"epoch": 1, "model_state_dict": decoder.state_dict()})
    assert "layer norm" in refusal(path)
    assert "weight_norm" in refusal(path)


# SAL, IGR, IDR


@pytest.mark.parametrize("tanh", [False, True])
@pytest.mark.parametrize("norm", [None, old_weight_norm])
def test_sal(tmp_path: Path, tanh: bool, norm: Any) -> None:
    decoder = ImplicitNet(3, DIMS, skip_in=[4] if tanh else [], norm=norm, norm_last=False, sal_tanh=tanh)
    encoder = Holder(fc_pos=nn.Linear(3, 16), fc_0=nn.Linear(16, 8), fc_mean=nn.Linear(8, 4))
    decoder = randomised(decoder)
    state = nn.DataParallel(Holder(decoder=decoder, encoder=encoder)).state_dict()
    path = saved(tmp_path, {"epoch": 5, "model_state_dict": state})
    known = Reading()
    if tanh and norm is not None:  # a decoder of DeepSDF may look so too
        assert question(path).question.choice == "family"
        known = Reading(family="sal")
    checkpoint = load_checkpoint(path, known)
    agrees(checkpoint, decoder.linear_part(POINTS))
    assert checkpoint.provenance["family"] == "sal"
    with pytest.raises(OpenQuestionError):
        checkpoint.level(0.1)
    chosen = load_checkpoint(path, known.answered("last_activation", "x+tanh" if tanh else "none"))
    level = chosen.level(0.1)
    assert_same_sides(decoder.linear_part(POINTS), level, decoder(POINTS), 0.1)


def test_igr_asks_for_its_activation(tmp_path: Path) -> None:
    relu = randomised(ImplicitNet(3, DIMS, skip_in=[4]))
    path = saved(tmp_path, {"epoch": 5, "model_state_dict": relu.state_dict()})
    asked = question(path)
    assert asked.question.choice == "family"
    assert {a.value for a in asked.question.alternatives} == {"deepsdf", "sal", "igr", "idr", "mlp"}
    assert question(path, Reading(family="igr")).question.choice == "activation"
    agrees(load_checkpoint(path, Reading(family="igr", activation="relu")), relu(POINTS))
    softplus = load_checkpoint(path, Reading(family="igr", activation="softplus:100"))
    soft = ImplicitNet(3, DIMS, skip_in=[4], activation=nn.Softplus(100))
    soft.load_state_dict(relu.state_dict())
    assert torch.allclose(softplus.module(POINTS), soft(POINTS)[:, 0], rtol=0, atol=1e-5)


def test_skip_scale_is_what_tells_the_families_apart(tmp_path: Path) -> None:
    scaled = randomised(ImplicitNet(3, DIMS, skip_in=[4]))
    path = saved(tmp_path, scaled.state_dict())
    plain = DeepSDFDecoder(0, DIMS, latent_in=[4], norm=None).eval()
    plain.load_state_dict(scaled.state_dict())
    agrees(load_checkpoint(path, Reading(family="sal")), scaled(POINTS))
    agrees(load_checkpoint(path, Reading(family="deepsdf")), plain.linear_part(POINTS))
    overridden = load_checkpoint(path, Reading(family="deepsdf", skip_scale=math.sqrt(0.5)))
    agrees(overridden, scaled(POINTS))
    assert noted(overridden, "otherwise 1, the family's definition")


def test_idr_is_softplus_and_its_relu_limit_is_measured(tmp_path: Path) -> None:
    network = ImplicitNet(3, DIMS, skip_in=[4], outputs=9, norm=old_weight_norm, activation=nn.Softplus(100))
    rendering = Holder(lin0=nn.Linear(17, 16), lin1=nn.Linear(16, 3))
    network = randomised(network)
    state = Holder(implicit_network=network, rendering_network=rendering).state_dict()
    path = saved(tmp_path, {"epoch": 5, "model_state_dict": state})
    checkpoint = load_checkpoint(path)
    assert checkpoint.provenance["family"] == "idr"
    assert checkpoint.approximation is None
    values = checkpoint.module.double()(POINTS.double())
    assert torch.allclose(values, network.double()(POINTS.double())[:, 0], rtol=0, atol=1e-12)
    network.float()
    limit = load_checkpoint(path, Reading(relu_limit=True))
    assert limit.approximation is not None
    assert "Softplus(100)" in limit.approximation.what
    relu = ImplicitNet(3, DIMS, skip_in=[4], outputs=9, norm=old_weight_norm)
    relu.load_state_dict(network.state_dict())
    agrees(limit, relu(POINTS)[:, 0])
    difference = float((relu(POINTS) - network(POINTS)).detach()[:, 0].abs().max())
    assert 0 < difference <= limit.approximation.largest_difference * 1.5
    assert noted(limit, "approximation")


def test_positional_encoding_of_idr_is_refused(tmp_path: Path) -> None:
    network = randomised(ImplicitNet(39, DIMS, skip_in=[], norm=old_weight_norm))
    path = saved(tmp_path, {"epoch": 5, "model_state_dict": Holder(implicit_network=network).state_dict()})
    assert "positional encoding of 6 frequencies" in refusal(path)
    assert "multires = 0" in refusal(path)


# Plain MLPs


NAMINGS: dict[str, Any] = {
    "bare": lambda state: state,
    "net.": lambda state: {f"net.{key}": value for key, value in state.items()},
    "lightning": lambda state: {
        "state_dict": {f"model.net.{key}": value for key, value in state.items()},
        "epoch": 3,
        "optimizer_states": [{"state": {0: {"exp_avg": torch.zeros(16, 3)}}}],
        "pytorch-lightning_version": "2.0",
    },
    "compiled": lambda state: {"model": {f"_orig_mod.module.{key}": value for key, value in state.items()}},
    "nested": lambda state: {"net": {"decoder": state}, "step": 7},
    "fc": lambda state: {f"fc{int(key[0]) // 2 + 1}.{key[2:]}": value for key, value in state.items()},
    "ends": lambda state: {
        {"0": "fc_in", "2": "hidden.0", "4": "fc_out"}[key[0]] + key[1:]: value for key, value in state.items()
    },
}


@pytest.mark.parametrize("naming", sorted(NAMINGS))
@pytest.mark.parametrize("container", ["zip", "legacy", "safetensors", "npz"])
def test_plain_mlps_under_any_name(tmp_path: Path, naming: str, container: str) -> None:
    module = randomised(plain_mlp())
    content = NAMINGS[naming](module.state_dict())
    path = tmp_path / "network"
    if container in ("safetensors", "npz"):
        flat: dict[str, Tensor] = {}

        def flatten(prefix: str, item: Any) -> None:
            if isinstance(item, Tensor):
                flat[prefix] = item.contiguous()
            elif isinstance(item, dict):
                for key, value in item.items():
                    flatten(f"{prefix}.{key}" if prefix else str(key), value)

        flatten("", content)
        if container == "npz":
            with path.open("wb") as stream:
                np.savez(stream, **{key: value.numpy() for key, value in flat.items()})
        else:
            path.write_bytes(safetensors.torch.save(flat))
    else:
        torch.save(content, path, _use_new_zipfile_serialization=container == "zip")
    asked = question(path)
    assert asked.question.choice == "activation"
    assert "--activation" in str(asked)
    agrees(load_checkpoint(path, RELU), module(POINTS))
    leaky = load_checkpoint(path, Reading(activation="leaky_relu:0.2"))
    agrees(leaky, randomised(plain_mlp(activation=lambda: nn.LeakyReLU(0.2)))(POINTS))


def test_many_layers_are_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    module = randomised(plain_mlp((3, *[8] * 14, 1)))
    path = tmp_path / "a"
    path.write_bytes(safetensors.torch.save(dict(module.state_dict())))
    agrees(load_checkpoint(path, RELU), module(POINTS))


def test_activation_from_metadata(tmp_path: Path) -> None:
    module = randomised(plain_mlp())
    path = tmp_path / "a"
    path.write_bytes(safetensors.torch.save(dict(module.state_dict()), {"activation": "ReLU", "domain": "[-2, 2]"}))
    checkpoint = load_checkpoint(path)
    agrees(checkpoint, module(POINTS))
    assert noted(checkpoint, "activation relu: the file's activation says so")
    assert checkpoint.domain.tolist() == [[-2.0] * 3, [2.0] * 3]
    hyper = saved(
        tmp_path, {"state_dict": module.state_dict(), "hyper_parameters": {"activation": "relu", "width": 16}}
    )
    agrees(load_checkpoint(hyper), module(POINTS))
    overridden = load_checkpoint(hyper, Reading(activation="abs"))
    assert noted(overridden, "activation abs, by --activation; otherwise relu")


def test_side_file_answers(tmp_path: Path) -> None:
    module = randomised(plain_mlp())
    path = saved(tmp_path, module.state_dict())
    reading = Reading(activation="relu", bounds=(-1.5, 1.5), skip_scale=math.sqrt(0.5), flip_sign=False)
    assert Reading.from_json(json.loads(json.dumps(reading.to_json()))) == reading
    side = path.with_name("net.pth.reading.json")
    side.write_text(json.dumps({"activation": "relu", "bounds": [-1.5, 1.5]}))
    checkpoint = load_checkpoint(path)
    agrees(checkpoint, module(POINTS))
    assert noted(checkpoint, "activation relu, by net.pth.reading.json")
    assert checkpoint.domain.tolist() == [[-1.5] * 3, [1.5] * 3]
    corners = [[-1.5, -1.0, -0.5], [0.5, 1.0, 1.5]]
    side.write_text(json.dumps({"activation": "relu", "bounds": corners}))
    assert load_checkpoint(path).domain.tolist() == corners
    side.write_text('{"activation": "relu", "bounds": [[-1, 1], [-1, 1], [-1, 1]]}')
    assert "bounds: write a range for all axes, [-1, 1], or two corners" in refusal(path)
    for text in ("[", '{"activation": "magic"}', '{"colour": "red"}', "3", '{"output": -1}'):
        side.write_text(text)
        assert "net.pth.reading.json" in refusal(path)


def test_batch_norm_before_and_after_the_activation(tmp_path: Path) -> None:
    before = randomised(plain_mlp(batch_norm=True))
    checkpoint = load_checkpoint(saved(tmp_path, before.state_dict()), RELU)
    agrees(checkpoint, before(POINTS))
    after = randomised(
        nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.BatchNorm1d(8), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    )
    agrees(load_checkpoint(saved(tmp_path, after.state_dict()), RELU), after(POINTS))
    lists = Holder(fcs=nn.ModuleList([before[0], before[3], before[6]]), bns=nn.ModuleList([before[1], before[4]]))
    path = saved(tmp_path, lists.state_dict())
    asked = question(path, RELU).question
    assert (asked.choice, asked.option) == ("norm_order", "--norm-order")
    agrees(load_checkpoint(path, Reading(activation="relu", norm_order="before")), before(POINTS))
    h = POINTS
    for i in (0, 1):
        h = lists.bns[i](torch.relu(lists.fcs[i](h)))
    path.with_name("net.pth.reading.json").write_text(json.dumps({"activation": "relu", "norm_order": "after"}))
    agrees(load_checkpoint(path), lists.fcs[2](h))


def test_batch_norm_of_the_input(tmp_path: Path) -> None:
    net = randomised(nn.Sequential(nn.BatchNorm1d(3), *plain_mlp(batch_norm=True)))
    agrees(load_checkpoint(saved(tmp_path, net.state_dict()), RELU), net(POINTS))


@pytest.mark.parametrize(
    ("name", "module", "words"),
    [
        ("leaky_relu", nn.LeakyReLU, "slope 0.01, torch's default, is assumed; say leaky_relu:SLOPE otherwise"),
        ("softplus", nn.Softplus, "beta 1, torch's default, is assumed; say softplus:BETA otherwise"),
    ],
)
def test_default_parameters_are_said(tmp_path: Path, name: str, module: Any, words: str) -> None:
    net = randomised(plain_mlp(activation=module))
    assert noted(load_checkpoint(saved(tmp_path, {"state_dict": net.state_dict(), "activation": name})), words)


@pytest.mark.parametrize("key", ["aabb", "bounds"])
def test_stated_domains(tmp_path: Path, key: str) -> None:
    state = plain_mlp().state_dict()
    corners = [[-2.0, -1.0, -1.0], [1.0, 3.0, 1.0]]
    for value in (torch.tensor(corners), torch.tensor(corners).reshape(6), corners):
        checkpoint = load_checkpoint(saved(tmp_path, {"state_dict": state, key: value}), RELU)
        assert checkpoint.domain.tolist() == corners
        assert noted(checkpoint, f"domain: the file's 'state_dict.{key}'") or noted(checkpoint, f"file's '{key}'")
    for odd, words in (
        ([1, -1], "is [1, -1], no lower and upper corner of 3 coordinates"),
        (torch.tensor(corners).flip(0), "no lower and upper corner"),
        (torch.zeros(5, 3, 3), "is a tensor of shape (5, 3, 3), no lower"),
    ):
        checkpoint = load_checkpoint(saved(tmp_path, {"state_dict": state, key: odd}), RELU)
        assert checkpoint.domain.tolist() == [[-1.0] * 3, [1.0] * 3]
        assert noted(checkpoint, words)
        assert not noted(checkpoint, "does not say its domain")


def test_names_of_tensors_reach_no_terminal_as_they_are(tmp_path: Path) -> None:
    state = plain_mlp().state_dict()
    renamed = {name.replace("0.", "\x1b[31mfirst\u202e.").replace("2.", "b."): value for name, value in state.items()}
    checkpoint = load_checkpoint(saved(tmp_path, renamed), RELU)
    assert noted(checkpoint, "\\x1b[31mfirst\\u202e")
    assert all(note.isprintable() for note in checkpoint.notes)


def test_a_list_of_codes(tmp_path: Path) -> None:
    path, decoder, _ = deepsdf_experiment(tmp_path)
    codes = [torch.randn(1, 6) for _ in range(5)]
    file = saved(tmp_path, codes, "listcode.pth")
    checkpoint = load_checkpoint(path, Reading(latent=f"{file}:4"))
    agrees(checkpoint, decoder.linear_part(torch.cat([codes[4].expand(len(POINTS), 6), POINTS], 1)))
    assert "holds 5 codes, none of them with the index 5" in refusal(path, Reading(latent=f"{file}:5"))


def test_prelu_and_layer_norm(tmp_path: Path) -> None:
    learned = randomised(plain_mlp(activation=nn.PReLU))
    agrees(load_checkpoint(saved(tmp_path, learned.state_dict())), learned(POINTS))
    normed = nn.Sequential(nn.Linear(3, 8), nn.LayerNorm(8), nn.ReLU(), nn.Linear(8, 1))
    assert "layer norm" in refusal(saved(tmp_path, normed.state_dict()))


@pytest.mark.parametrize("kind", ["pre", "sum", "post"])
def test_residual_blocks_are_asked_about(tmp_path: Path, kind: str) -> None:
    module = randomised(ResidualMLP(kind))
    path = saved(tmp_path, module.state_dict())
    assert question(path, RELU).question.choice == "residual"
    agrees(load_checkpoint(path, Reading(activation="relu", residual=kind)), module(POINTS))


def test_residual_layers(tmp_path: Path) -> None:
    module = randomised(plain_mlp((3, 8, 8, 8, 1)))

    def forward(x: Tensor) -> Tensor:
        h = torch.relu(module[0](x))
        h = h + torch.relu(module[2](h))
        return module[6](h + torch.relu(module[4](h)))

    path = saved(tmp_path, module.state_dict())
    agrees(load_checkpoint(path, Reading(activation="relu", residual="layer")), forward(POINTS))
    assert noted(load_checkpoint(path, RELU), "no residual sums are assumed (--residual layer otherwise)")


@pytest.mark.parametrize("first", [False, True])
def test_concatenations_of_plain_mlps_are_asked_about(tmp_path: Path, first: bool) -> None:
    layers = [nn.Linear(3, 8), nn.Linear(8, 8), nn.Linear(11, 8), nn.Linear(8, 1)]
    module = randomised(Holder(layers=nn.ModuleList(layers)))

    def forward(x: Tensor) -> Tensor:
        h = torch.relu(layers[1](torch.relu(layers[0](x))))
        h = torch.relu(layers[2](torch.cat([x, h] if first else [h, x], 1)))
        return layers[3](h)

    path = saved(tmp_path, module.state_dict())
    assert question(path, RELU).question.choice == "skip_scale"
    reading = RELU.answered("skip_scale", "1")
    assert question(path, reading).question.choice == "skip_order"
    agrees(load_checkpoint(path, reading.answered("skip_order", "first" if first else "last")), forward(POINTS))


def test_several_networks_are_asked_about(tmp_path: Path) -> None:
    module, averaged = randomised(plain_mlp(), 1), randomised(plain_mlp(), 2)
    path = saved(tmp_path, {"model": module.state_dict(), "ema": averaged.state_dict(), "ema_decay": 0.999})
    asked = question(path, RELU).question
    assert asked.choice == "network"
    assert {a.value for a in asked.alternatives} == {"model", "ema"}
    agrees(load_checkpoint(path, Reading(activation="relu", network="ema")), averaged(POINTS))
    assert "no network" in refusal(path, Reading(activation="relu", network="other"))


def test_outputs_latents_and_dimensions(tmp_path: Path) -> None:
    module = randomised(plain_mlp((3, 8, 8, 4)))
    path = saved(tmp_path, module.state_dict())
    assert question(path, RELU).question.choice == "output"
    agrees(load_checkpoint(path, Reading(activation="relu", output=2)), module(POINTS)[:, 2])
    assert "no output 4" in refusal(path, Reading(activation="relu", output=4))

    flat = randomised(plain_mlp((2, 8, 1)))
    agrees(load_checkpoint(saved(tmp_path, flat.state_dict()), RELU), flat(POINTS[:, :2]), POINTS[:, :2])

    coded = randomised(plain_mlp((7, 8, 1)))
    path = saved(tmp_path, coded.state_dict())
    assert question(path, RELU).question.choice == "latent"
    inputs = torch.cat([torch.zeros(len(POINTS), 4), POINTS], 1)
    asked = Reading(activation="relu", latent="zeros")
    assert {a.value for a in question(path, asked).question.alternatives} == {"last", "first"}
    agrees(load_checkpoint(path, Reading(activation="relu", latent="zeros", coordinates="last")), coded(inputs))
    agrees(load_checkpoint(path, Reading(activation="relu", latent="none")), coded(inputs), inputs)
    assert "positional encoding of 2 frequencies" in str(
        question(saved(tmp_path, randomised(plain_mlp((15, 8, 1))).state_dict()), RELU)
    )


def test_codes_in_the_file_itself(tmp_path: Path) -> None:
    module = randomised(Holder(net=plain_mlp((7, 8, 1)), latent_codes=nn.Embedding(5, 4)))
    path = saved(tmp_path, module.state_dict())
    checkpoint = load_checkpoint(path, Reading(activation="relu", latent="net.pth:3", coordinates="last"))
    code = module.latent_codes.weight[3].expand(len(POINTS), -1)
    agrees(checkpoint, module.net(torch.cat([code, POINTS], 1)))


def test_input_transform_sign_and_bounds(tmp_path: Path) -> None:
    module = randomised(plain_mlp())
    path = saved(tmp_path, module.state_dict())
    scaled = load_checkpoint(path, Reading(activation="relu", input_transform=(2.0, 0.5, 0.0, -1.0), flip_sign=True))
    agrees(scaled, -module(POINTS * 2 + torch.tensor([0.5, 0.0, -1.0])))
    known = RELU.answered("last_activation", "tanh")
    flipped = load_checkpoint(path, known.answered("flip_sign", "yes"))
    assert flipped.level(0.1) == -math.atanh(0.1)
    matrix = torch.tensor([[0.0, 1.0, 0.0], [-1.0, 0.0, 0.0], [0.0, 0.0, 2.0]])
    rows = torch.cat([matrix, torch.tensor([[0.1], [0.2], [0.3]])], 1).double()
    turned = load_checkpoint(path, Reading(activation="relu", input_transform=tuple(rows.reshape(-1).tolist())))
    agrees(turned, module(POINTS @ matrix.T + torch.tensor([0.1, 0.2, 0.3])))
    assert "--input-transform" in refusal(path, Reading(activation="relu", input_transform=(1.0, 2.0)))
    assert "singular" in refusal(path, Reading(activation="relu", input_transform=(0.0,)))
    assert "below" in refusal(path, Reading(activation="relu", bounds=(1.0, -1.0)))
    mesh = load_checkpoint(path, Reading(activation="relu", bounds=(-10.0, 0.0, 5.0, 20.0, 30.0, 40.0)))
    assert mesh.domain.tolist() == [[-10.0, 0.0, 5.0], [20.0, 30.0, 40.0]]


def test_half_precision_is_widened_and_said(tmp_path: Path) -> None:
    module = randomised(plain_mlp())
    state = {key: value.half() for key, value in module.state_dict().items()}
    checkpoint = load_checkpoint(saved(tmp_path, state), RELU)
    module.load_state_dict({key: value.float() for key, value in state.items()})
    agrees(checkpoint, module(POINTS))
    assert noted(checkpoint, "float16 are widened")


def test_numbered_matrices_in_npz(tmp_path: Path) -> None:
    module = randomised(plain_mlp())
    for turned in (False, True):
        arrays = {}
        for i, index in enumerate((0, 2, 4)):
            weight = module[index].weight.detach().numpy()
            arrays |= {f"W{i}": weight.T if turned else weight, f"b{i}": module[index].bias.detach().numpy()}
        np.savez(tmp_path / "a.npz", **arrays)
        agrees(load_checkpoint(tmp_path / "a.npz", RELU), module(POINTS))


# What is refused


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({"encoder.embeddings": torch.zeros(64, 2), "sigma_net.0.weight": torch.zeros(4, 32)}, "grid"),
        ({"embedder.freqs": torch.zeros(6), "0.weight": torch.zeros(8, 39), "2.weight": torch.zeros(1, 8)}, "encoding"),
        ({"0.weight": torch.zeros(8, 3), "2.weight": torch.zeros(1, 9)}, "takes 9 features where"),
        ({"0.weight": torch.zeros(8, 3)}, "one weight matrix alone"),
        ({}, "no weight matrices"),
        ({"0.weight": torch.full((8, 3), math.nan), "2.weight": torch.zeros(1, 8)}, "NaN"),
    ],
)
def test_what_is_no_network_is_refused(tmp_path: Path, state: dict[str, Tensor], words: str) -> None:
    assert words in refusal(saved(tmp_path, state), RELU)


def test_siren_is_named(tmp_path: Path) -> None:
    layers = {f"net.{i}.linear": nn.Linear(a, b) for i, (a, b) in enumerate([(3, 8), (8, 8)])}
    state = {f"{name}.{key}": value for name, layer in layers.items() for key, value in layer.state_dict().items()}
    state |= {"net.2.weight": torch.ones(1, 8), "net.2.bias": torch.ones(1)}
    asked = question(saved(tmp_path, state))
    assert "SIREN" in str(asked)
    module = load_checkpoint(tmp_path / "net.pth", Reading(activation="sine")).module
    assert "Sine" in str(module)


def test_options_that_do_not_apply_are_refused(tmp_path: Path) -> None:
    module = randomised(plain_mlp())
    path = saved(tmp_path, module.state_dict())
    assert "--skip-scale does not apply" in refusal(path, Reading(activation="relu", skip_scale=1.0))
    assert "needs a network of Softplus" in refusal(path, Reading(activation="relu", relu_limit=True))
    assert "not of the family deepsdf" in refusal(path, Reading(family="deepsdf"))


@pytest.mark.parametrize("text", ["leaky_relu:0.1", "softplus:100", "leaky_relu:-0.25", "softplus:1e-05"])
def test_parameters_of_activations_are_written_as_they_were_given(text: str) -> None:
    assert Reading().answered("activation", text).activation == text
    assert Reading().answered("bounds", "-1,0.1").to_json() == {"bounds": "-1,0.1"}


@pytest.mark.parametrize("text", ["softplus:1e308", "softplus:1e-300", "leaky_relu:-1e9"])
def test_parameters_that_no_network_has_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be from 1e-06 to 1e\\+06"):
        Reading().answered("activation", text)
