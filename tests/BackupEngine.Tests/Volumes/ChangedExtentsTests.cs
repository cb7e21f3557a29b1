using BackupEngine.Volumes;
using Xunit;

namespace BackupEngine.Tests.Volumes;

public sealed class ChangedExtentsTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("")]
    [InlineData("\n\n  \n\t\r\n")]
    [InlineData("# nothing changed\n#\n  # 1 2")]
    public async Task A_text_without_extents_has_none(string text) => Assert.Empty(await ReadAsync(text));

    [Fact]
    public async Task Lines_are_offset_and_length() =>
        Assert.Equal(
            [new(0, 4096), new(1_048_576, 65_536), new(8192, 0), new(9_223_372_036_854_775_806, 1), new(5, 6)],
            await ReadAsync("# changed since sunday\r\n0 4096\r\n\n\t 1048576 \t 65536  \n8192 0 # nothing\n9223372036854775806 1\n005 06"));

    [Fact]
    public async Task Extents_that_touch_their_predecessor_are_joined_to_it() =>
        Assert.Equal([new(0, 30), new(5, 5)], await ReadAsync("0 10\n10 10\n20 10\n5 5"));

    [Theory]
    [InlineData("12", "'12' is not two numbers of bytes, OFFSET LENGTH")]
    [InlineData("1 2 3", "'1 2 3' is not two numbers of bytes, OFFSET LENGTH")]
    [InlineData("-1 2", "'-1 2' is not two numbers of bytes, OFFSET LENGTH")]
    [InlineData("1 -2", "'1 -2' is not two numbers of bytes, OFFSET LENGTH")]
    [InlineData("+1 2", "'+1 2' is not two numbers of bytes, OFFSET LENGTH")]
    [InlineData("0x10 4096", "'0x10 4096' is not two numbers of bytes, OFFSET LENGTH")]
    [InlineData("1,000 2", "'1,000 2' is not two numbers of bytes, OFFSET LENGTH")]
    [InlineData("1.5 2", "'1.5 2' is not two numbers of bytes, OFFSET LENGTH")]
    [InlineData("1:2", "'1:2' is not two numbers of bytes, OFFSET LENGTH")]
    [InlineData("all of it", "'all of it' is not two numbers of bytes, OFFSET LENGTH")]
    [InlineData("9223372036854775808 1", "'9223372036854775808 1' is not two numbers of bytes, OFFSET LENGTH")]
    [InlineData("\u0661 \u0662", "'\u0661 \u0662' is not two numbers of bytes, OFFSET LENGTH")]
    [InlineData("\u001b[31m 1", "'?[31m 1' is not two numbers of bytes, OFFSET LENGTH")]
    [InlineData("9223372036854775807 1", "1 bytes at offset 9223372036854775807 end beyond what a volume can have")]
    public async Task A_line_that_is_no_extent_is_named(string line, string problem)
    {
        var error = await Assert.ThrowsAsync<ChangedExtentsFormatException>(() => ReadAsync($"# comment\n0 1\n{line}\n5 5\n"));
        Assert.Equal(3, error.LineNumber);
        Assert.Equal($"line 3 of the changed extents: {problem}", error.Message);
    }

    [Fact]
    public async Task A_line_without_end_is_refused_before_it_fills_the_memory()
    {
        using var endless = new EndlessReader();
        var error = await Assert.ThrowsAsync<ChangedExtentsFormatException>(() => ChangedExtents.ReadAsync(endless, Cancellation));
        Assert.Equal("line 1 of the changed extents: it is longer than 128 characters", error.Message);
    }

    [Fact]
    public async Task Long_comments_and_many_lines_are_read()
    {
        string text = string.Concat(Enumerable.Range(0, 20_000).Select(i => $"{i * 10L} 5 # {new string('x', i % 300)}\n"));
        Assert.Equal(Enumerable.Range(0, 20_000).Select(i => new VolumeExtent(i * 10L, 5)), await ReadAsync(text));
    }

    [Fact]
    public async Task Reading_gives_up_when_cancelled()
    {
        using var endless = new EndlessReader();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => ChangedExtents.ReadAsync(endless, new CancellationToken(canceled: true)));
    }

    private static async Task<IReadOnlyList<VolumeExtent>> ReadAsync(string text)
    {
        using var reader = new StringReader(text);
        return await ChangedExtents.ReadAsync(reader, Cancellation);
    }

    /// <summary>What reading /dev/zero by mistake looks like.</summary>
    private sealed class EndlessReader : TextReader
    {
        public override ValueTask<int> ReadAsync(Memory<char> buffer, CancellationToken cancellationToken = default)
        {
            cancellationToken.ThrowIfCancellationRequested();
            buffer.Span.Clear();
            return ValueTask.FromResult(buffer.Length);
        }
    }
}
