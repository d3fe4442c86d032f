from desktop_app.models.settings_model import PathRole, SearchRole, SettingsModel
from trainer_core.settings.schema import params


def test_every_setting_is_a_row(qapp):
    model = SettingsModel()
    paths = [model.index(row, 0).data(PathRole) for row in range(model.rowCount())]
    assert paths == list(params())


def test_a_setting_is_found_by_label_by_name_and_by_help(qapp):
    model = SettingsModel()
    row = list(params()).index("optimizer.unet_lr")
    words = model.index(row, 0).data(SearchRole)
    for part in ("U-Net rate", "unet_lr", "U-Net's adapter"):
        assert part in words


def test_a_row_says_where_the_setting_stands(qapp):
    model = SettingsModel()
    row = list(params()).index("optimizer.unet_lr")
    assert model.index(row, 0).data() == "U-Net rate – Training"
