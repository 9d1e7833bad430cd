"""Names of any script in readable Latin letters."""

import pytest

from aquila.records.normalize.names import cyrillic_language, to_latin


@pytest.mark.parametrize(
    ("text", "latin"),
    [
        ("Ana", "ana"),
        ("Љиљана Ђурђевић", "ljiljana đurđević"),
        ("Ќирил Ѓорѓиев", "kjiril gjorgjiev"),
        ("Щерю Йорданов", "shteryu yordanov"),
        ("Рыжов Щукин", "ryzhov shchukin"),
        ("Юлія Їжакевич", "yuliya izhakevych"),
        ("İbrahim Aşçıoğlu", "ibrahim aşçıoğlu"),  # noqa: RUF001 - the Turkish letter is the point
        ("Γιώργος Μπάμπης", "giorgos babis"),
        ("Ψ", "ps"),
        ("محمد الحسن", "mhmd al-hsn"),
        ("وليد ال", "wlid al"),
        ("خَالِد", "khald"),
        ("ﬁlip", "filip"),
        ("山", "山"),
    ],
)
def test_names_become_latin(text: str, latin: str) -> None:
    assert to_latin(text) == latin


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("јован", "serbian"),
        ("ѓорѓи", "macedonian"),
        ("щерю", "bulgarian"),
        ("рыжов", "russian"),
        ("їжак", "ukrainian"),
        ("иван", "serbian"),
    ],
)
def test_the_letters_tell_the_language(text: str, language: str) -> None:
    assert cyrillic_language(text) == language
