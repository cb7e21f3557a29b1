using BackupEngine.ObjectStores;
using BackupEngine.Volumes;

namespace BackupEngine.Cli.Tests;

public sealed class ExitCodesTests
{
    [Fact]
    public void The_numbers_are_a_contract() =>
        Assert.Equal(
            [0, 1, 2, 3, 4, 5, 130],
            [ExitCodes.Done, ExitCodes.Failed, ExitCodes.WrongUsage, ExitCodes.NotFound, ExitCodes.RefusedByState, ExitCodes.CorruptionFound, ExitCodes.Cancelled]);

    [Theory]
    [InlineData(true, 130)]
    [InlineData(false, 1)]
    public void Only_a_cancellation_that_was_asked_for_is_one(bool asked, int expected) =>
        Assert.Equal(expected, ExitCodes.Of(new OperationCanceledException(), asked));

    [Theory]
    [InlineData(ObjectStoreError.ContainerNotFound, 3)]
    [InlineData(ObjectStoreError.AccessDenied, 1)]
    [InlineData(ObjectStoreError.OutOfSpace, 1)]
    [InlineData(ObjectStoreError.Unavailable, 1)]
    [InlineData(ObjectStoreError.Failed, 1)]
    public void Of_what_a_store_refuses_only_a_missing_container_is_not_found(ObjectStoreError error, int expected) =>
        Assert.Equal(expected, ExitCodes.Of(new ObjectStoreException(error, null, "x"), cancelled: false));

    [Fact]
    public void A_missing_volume_is_not_found_and_a_broken_one_failed()
    {
        Assert.Equal(3, ExitCodes.Of(new VolumeException("v", "x", new FileNotFoundException()), cancelled: false));
        Assert.Equal(3, ExitCodes.Of(new VolumeException("v", "x", new DirectoryNotFoundException()), cancelled: false));
        Assert.Equal(3, ExitCodes.Of(new VolumeException("v", "x", new IOException("ENOENT", 2)), cancelled: false));
        Assert.Equal(3, ExitCodes.Of(new VolumeException("v", "x", new IOException("ENOTDIR", 20)), cancelled: false));
        Assert.Equal(1, ExitCodes.Of(new VolumeException("v", "x", new IOException("EIO", 5)), cancelled: false));
        Assert.Equal(1, ExitCodes.Of(new VolumeException("v", "x"), cancelled: false));
    }

    [Fact]
    public void An_error_that_nobody_thought_of_failed() => Assert.Equal(1, ExitCodes.Of(new InvalidOperationException(), cancelled: false));
}
