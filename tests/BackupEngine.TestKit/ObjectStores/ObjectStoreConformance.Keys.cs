using BackupEngine.ObjectStores;
using Xunit;

namespace BackupEngine.TestKit.ObjectStores;

public abstract partial class ObjectStoreConformance
{
    public static TheoryData<string> BadKeys => new(
        "", "/", "/a", "a/", "a//b", ".", "..", "./a", "a/.", "../a", "a/..", "a/../b", "a/../../b", "a b", "a\\b", "a\0b", "a\nb", "ä", "a%2e", "a?b",
        "a#b", "~", ".tmp~/x", "C:a", new string('a', ObjectKey.MaxLength + 1));

    public static TheoryData<string> OddKeys => new(
        "a", ".a", "...", "a..b", "-", "_", ".tmp/x", ".hidden/.file", "A/a", string.Join('/', Enumerable.Repeat(new string('k', 179), 5)), "a.b/c-d_e/f.json");

    [Theory]
    [MemberData(nameof(BadKeys))]
    public async Task What_is_no_key_is_refused_by_every_call(string key)
    {
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.PutAsync(key, new byte[1], cancellationToken: Cancellation));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.GetAsync(key, 0, new byte[1], Cancellation));
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.HeadAsync(key, Cancellation));
        ArgumentException e = await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.DeleteAsync(key, Cancellation));
        Assert.DoesNotContain('\n', e.Message);
        Assert.True(e.Message.Length < 400);
    }

    [Fact]
    public async Task A_batch_with_one_bad_key_deletes_nothing()
    {
        await Store.PutAsync("kept", new byte[1], cancellationToken: Cancellation);
        await Assert.ThrowsAnyAsync<ArgumentException>(async () => await Store.DeleteAsync(["kept", "../bad"], Cancellation));
        Assert.NotNull(await Store.HeadAsync("kept", Cancellation));
    }

    [Theory]
    [MemberData(nameof(OddKeys))]
    public async Task Odd_keys_are_keys(string key)
    {
        await Store.PutAsync(key, Bytes(3), cancellationToken: Cancellation);
        Assert.Equal(Bytes(3), await Store.GetAllAsync(key, 3, Cancellation));
        Assert.Equal([key], await KeysAsync(""));
        Assert.Equal([key], await KeysAsync(key));
        await Store.DeleteAsync(key, Cancellation);
        Assert.Empty(await KeysAsync(""));
    }

    [Fact]
    public async Task Keys_differ_by_case()
    {
        await Store.PutAsync("Key", Bytes(1), cancellationToken: Cancellation);
        await Store.PutAsync("kEY", Bytes(2), cancellationToken: Cancellation);
        Assert.Equal(["Key", "kEY"], await KeysAsync(""));
        Assert.Null(await Store.HeadAsync("key", Cancellation));
    }
}
