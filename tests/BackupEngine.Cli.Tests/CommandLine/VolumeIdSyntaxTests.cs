using BackupEngine.Cli.CommandLine;

namespace BackupEngine.Cli.Tests.CommandLine;

public sealed class VolumeIdSyntaxTests
{
    [Theory]
    [InlineData("a")]
    [InlineData("vm-7_disk.0")]
    [InlineData("2f6c1a7e-0000-4000-8000-000000000001")]
    public void Letters_digits_and_a_few_signs_are_an_id(string text) => Assert.True(VolumeIdSyntax.TryParse(text, out _, out _));

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("-a")]
    [InlineData("a/b")]
    [InlineData("../a")]
    [InlineData("a b")]
    [InlineData("ä")]
    [InlineData("a\n")]
    public void What_could_leave_its_place_in_a_key_is_not(string text) => Assert.False(VolumeIdSyntax.TryParse(text, out _, out _));

    [Fact]
    public void An_id_has_at_most_128_characters()
    {
        Assert.True(VolumeIdSyntax.TryParse(new string('a', 128), out _, out _));
        Assert.False(VolumeIdSyntax.TryParse(new string('a', 129), out _, out _));
    }
}
