from setup_steps.console import WIDTH, SetupProblem, explain


def test_a_long_problem_is_wrapped_and_its_command_is_not(capsys):
    explain(SetupProblem("word " * 60, "command " * 30))
    lines = capsys.readouterr().err.splitlines()
    assert max(len(line) for line in lines if "word" in line) <= WIDTH
    assert sum("command" in line for line in lines) == 1
