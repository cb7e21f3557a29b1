using BackupEngine.TestKit;
using BackupEngine.TestKit.Volumes;
using BackupEngine.Volumes;
using Microsoft.Win32.SafeHandles;
using Xunit;

namespace BackupEngine.Tests.Volumes;

public sealed class WriteQueueTests
{
    private const int Piece = 5_000;

    [Fact]
    public async Task Writes_of_many_threads_all_arrive_before_they_return()
    {
        using var directory = new ScratchDirectory();
        byte[] content = new byte[800 * Piece];
        Random.Shared.NextBytes(content);
        using SafeFileHandle handle = Open(directory, content.Length);
        var queue = new WriteQueue("image", handle);
        await Parallel.ForAsync(0, 800, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (piece, _) =>
        {
            await Task.Yield();
            await queue.WriteAsync(content.AsMemory(piece * Piece, Piece), piece * Piece);
            byte[] there = new byte[Piece];
            Assert.Equal(Piece, RandomAccess.Read(handle, there, piece * Piece));
            Assert.True(content.AsSpan(piece * Piece, Piece).SequenceEqual(there), $"piece {piece}");
        });
        VolumeAssert.Same(content, await File.ReadAllBytesAsync(directory.File("image"), TestContext.Current.CancellationToken), "the whole");
    }

    [Fact]
    public async Task An_error_is_told_to_whoever_asked_for_the_write_and_the_next_goes_on()
    {
        using var directory = new ScratchDirectory();
        using SafeFileHandle handle = Open(directory, 100 * Piece);
        var queue = new WriteQueue("image", handle);
        var failed = new int[200];
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 16 }, async (piece, _) =>
        {
            await Task.Yield();
            try
            {
                // The system refuses every third: no file is that long.
                await queue.WriteAsync(new byte[Piece], piece % 3 == 0 ? long.MaxValue - 10 : piece % 100 * Piece);
            }
            catch (VolumeException e)
            {
                Assert.Contains("image", e.Message, StringComparison.Ordinal);
                failed[piece]++;
            }
        });
        Assert.Equal(Enumerable.Range(0, 200).Select(piece => piece % 3 == 0 ? 1 : 0), failed);
    }

    private static SafeFileHandle Open(ScratchDirectory directory, long length)
    {
        SafeFileHandle handle = File.OpenHandle(directory.File("image"), FileMode.CreateNew, FileAccess.ReadWrite);
        RandomAccess.SetLength(handle, length);
        return handle;
    }
}
