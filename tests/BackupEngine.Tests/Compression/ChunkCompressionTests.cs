using BackupEngine.Compression;
using Xunit;

namespace BackupEngine.Tests;

public sealed class ChunkCompressionTests
{
    [Theory]
    [InlineData("none", "none")]
    [InlineData("lz4", "lz4")]
    [InlineData("zstd", "zstd:1")]
    [InlineData("zstd:22", "zstd:22")]
    public void Written_forms_are_read(string text, string canonical)
    {
        Assert.True(ChunkCompression.TryParse(text, out ChunkCompression compression));
        Assert.Equal(canonical, compression.ToString());
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("LZ4")]
    [InlineData("zstd:")]
    [InlineData("zstd:0")]
    [InlineData("zstd:23")]
    [InlineData("zstd:-1")]
    [InlineData("gzip")]
    public void Others_are_refused(string? text) => Assert.False(ChunkCompression.TryParse(text, out _));
}
