using BackupEngine.ObjectStores;
using Xunit;

namespace BackupEngine.TestKit.ObjectStores;

public abstract partial class ObjectStoreConformance
{
    [Fact]
    public async Task An_empty_store_lists_nothing()
    {
        Assert.Empty(await KeysAsync(""));
        Assert.Empty(await KeysAsync("volumes/"));
    }

    [Fact]
    public async Task Keys_come_in_ordinal_order_through_all_folders()
    {
        // '-' and '.' sort before '/', digits and letters after it: a folder is not where its name alone would be.
        string[] keys = ["a-b", "a.b", "a/b", "a/b-c/d", "a/b.c", "a/c", "a0", "aB", "a_b", "ab/x", "B/y", "a1/z", "0", "zz/yy/xx/ww"];
        await PutManyAsync(keys);
        Assert.Equal(keys.Order(StringComparer.Ordinal), await KeysAsync(""));
    }

    [Theory]
    [InlineData("", 7)]
    [InlineData("v", 6)]
    [InlineData("volumes", 5)]
    [InlineData("volumes/", 4)]
    [InlineData("volumes/1", 3)]
    [InlineData("volumes/1/", 1)]
    [InlineData("volumes/1/packs", 1)]
    [InlineData("volumes/1/packs/p", 1)]
    [InlineData("volumes/1/packs/p/", 0)]
    [InlineData("volumes/3", 0)]
    [InlineData("volumes/3/4/5", 0)]
    [InlineData("Volumes", 0)]
    [InlineData("/", 0)]
    [InlineData("../", 0)]
    [InlineData("volumes/../", 0)]
    [InlineData("volumes//", 0)]
    [InlineData("./", 0)]
    [InlineData("volumes/1/\0", 0)]
    [InlineData("vol*", 0)]
    [InlineData("ü&<", 0)]
    public async Task A_prefix_is_any_string_not_only_a_folder(string prefix, int expected)
    {
        string[] keys = ["other", "v", "volumes-x", "volumes/1/packs/p", "volumes/10/packs/p", "volumes/11/packs/q", "volumes/2/packs/p"];
        await PutManyAsync(keys);
        string[] found = await KeysAsync(prefix);
        Assert.Equal(keys.Where(key => key.StartsWith(prefix, StringComparison.Ordinal)), found);
        Assert.Equal(expected, found.Length);
    }

    [Fact]
    public async Task More_keys_than_a_page_holds_are_listed_and_deleted_in_one_call_each()
    {
        string[] keys = [.. Enumerable.Range(0, 2_100).Select(i => $"packs/{i % 7}/{i:x8}")];
        await PutManyAsync(keys);
        Assert.Equal(keys.Order(StringComparer.Ordinal), await KeysAsync("packs/"));

        string[] missing = [.. Enumerable.Range(0, 50).Select(i => $"packs/none/{i}")];
        await Store.DeleteAsync([.. keys.Skip(1), .. missing, keys[5]], Cancellation);
        Assert.Equal([keys[0]], await KeysAsync(""));
    }

    [Fact]
    public async Task A_listing_can_be_left_in_the_middle_and_the_store_used_inside_it()
    {
        await PutManyAsync(Enumerable.Range(0, 20).Select(i => $"x/{i:d2}"));
        int seen = 0;
        await foreach (ObjectInfo info in Store.ListAsync("x/", Cancellation))
        {
            await Store.DeleteAsync(info.Key, Cancellation);
            if (++seen == 5)
                break;
        }

        Assert.Equal(15, (await KeysAsync("x/")).Length);
    }

    [Fact]
    public async Task Size_and_time_are_told_alike_by_head_and_list()
    {
        DateTimeOffset before = TimeProvider.System.GetUtcNow();
        await Store.PutAsync("a/sized", Bytes(12_345), cancellationToken: Cancellation);
        ObjectInfo head = (await Store.HeadAsync("a/sized", Cancellation))!.Value;
        ObjectInfo listed = Assert.Single(await ListAsync("a/"));

        Assert.Equal(("a/sized", 12_345), (head.Key, head.SizeBytes));
        Assert.Equal((head.Key, head.SizeBytes), (listed.Key, listed.SizeBytes));
        Assert.Equal(TimeSpan.Zero, head.LastModified.Offset);
        Assert.InRange(head.LastModified, before.AddMinutes(-1), before.AddMinutes(5));
        Assert.InRange(listed.LastModified - head.LastModified, TimeSpan.FromSeconds(-1), TimeSpan.FromSeconds(1));
    }

    [Fact]
    public async Task What_does_not_exist_is_told_as_such()
    {
        await Store.PutAsync("folder/object", Bytes(1), cancellationToken: Cancellation);
        foreach (string key in new[] { "none", "folder", "folder/none", "folder/object/below", "no/such/folder" })
        {
            Assert.Null(await Store.HeadAsync(key, Cancellation));
            ObjectStoreException e = await FailsAsync(ObjectStoreError.NotFound, async () => await Store.GetAsync(key, 0, new byte[1], Cancellation));
            Assert.Equal(key, e.Key);
            Assert.Contains(key, e.Message, StringComparison.Ordinal);
            Assert.False(e.IsTransient);
            await FailsAsync(ObjectStoreError.NotFound, async () => await Store.GetAsync(key, 0, Memory<byte>.Empty, Cancellation));
            await Store.DeleteAsync(key, Cancellation);
        }

        await Store.DeleteAsync([], Cancellation);
        Assert.Equal(["folder/object"], await KeysAsync(""));
    }
}
