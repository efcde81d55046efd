from remnant_protocol import error_words, errors, messages, schema


def constants(module):
    return {name: getattr(module, name) for name in dir(module) if name.upper() == name and isinstance(getattr(module, name), int)}


def test_the_table_hash_is_that_of_the_table():
    assert schema.table_hash() == messages.TABLE_HASH, "messages.TABLE_HASH = const(0x%08X)" % schema.table_hash()


def test_every_message_command_and_event_has_its_fields():
    for number, (name, fields) in schema.MESSAGES.items():
        assert getattr(messages, name) == number
        assert all([":" in field for field in fields])
    for number, (name, _) in schema.COMMANDS.items():
        assert getattr(messages, name) == number
    for number, (name, _) in schema.EVENTS.items():
        assert getattr(messages, name.upper()) == number


def test_records_begin_with_number_and_board_time():
    for number, (_, fields) in schema.MESSAGES.items():
        if number >= messages.TELEMETRY:
            assert fields[:3] == ("seq:u32", "t_s:u32", "t_us:u32")


def test_every_error_has_its_words_and_no_code_is_used_twice():
    codes = {name: value for name, value in constants(errors).items() if not name.startswith("_")}
    assert len(set(codes.values())) == len(codes)
    for name, code in codes.items():
        assert error_words.WORDS[code][0] == name, name
        assert error_words.WORDS[code][1], name
        assert error_words.WORDS[code][2] or code == errors.OK, name
    assert len(error_words.WORDS) == len(codes)


def test_sentences_take_their_facts():
    for _, sentence, hint in error_words.WORDS.values():
        sentence.format(where="here", value=1, limit=2)
        assert "{" not in hint
