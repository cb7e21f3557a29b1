using BackupEngine.ObjectStores;
using Xunit;

namespace BackupEngine.S3.Tests;

/// <summary>What goes wrong between a store and its server, and what comes of it.</summary>
public sealed class S3FailureTests
{
    private const string Key = "volumes/v/packs/p/00000001";
    private static readonly byte[] _content = RandomBytes(3_000_000);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public static TheoryData<string> PassingFaults => new("503", "429", "500", "bad digest", "reset before", "reset in request", "lost answer", "stall");

    [Theory]
    [MemberData(nameof(PassingFaults))]
    public async Task A_put_gets_over_two_passing_failures(string name)
    {
        await using FaultProxy proxy = await ProxyAsync((method, number) => method == "PUT" && number < 2 ? Passing(name) : Fault.None);
        await using S3ObjectStore store = await StoreAsync(proxy, Impatient(name));
        await store.PutAsync(Key, _content, cancellationToken: Cancellation);
        Assert.Equal(3, proxy.Count("PUT"));
        Assert.Equal(_content, await store.GetAllAsync(Key, _content.Length, Cancellation));
    }

    [Theory]
    [MemberData(nameof(PassingFaults))]
    public async Task A_put_if_absent_that_is_tried_again_does_not_take_itself_for_another(string name)
    {
        await using FaultProxy proxy = await ProxyAsync((method, number) => method == "PUT" && number < 2 ? Passing(name) : Fault.None);
        await using S3ObjectStore store = await StoreAsync(proxy, Impatient(name));
        await store.PutAsync(Key, _content, PutCondition.IfAbsent, Cancellation);
        Assert.Equal(_content, await store.GetAllAsync(Key, _content.Length, Cancellation));

        ObjectStoreException e = await FailsAsync(ObjectStoreError.AlreadyExists, () => store.PutAsync(Key, _content, PutCondition.IfAbsent, Cancellation));
        Assert.Contains(Key, e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_put_if_absent_that_is_tried_again_does_not_take_another_for_itself()
    {
        await using FaultProxy proxy = await ProxyAsync((method, number) => method == "PUT" && number == 1 ? Fault.LoseAnswer : Fault.None);
        await using S3ObjectStore store = await StoreAsync(proxy);
        await store.PutAsync(Key, _content, PutCondition.IfAbsent, Cancellation);
        await FailsAsync(ObjectStoreError.AlreadyExists, () => store.PutAsync(Key, _content, PutCondition.IfAbsent, Cancellation));
        Assert.Equal(3, proxy.Count("PUT"));
    }

    [Theory]
    [MemberData(nameof(PassingFaults))]
    public async Task A_replacement_that_is_tried_again_does_not_take_itself_for_another(string name)
    {
        await using FaultProxy proxy = await ProxyAsync((method, number) => method == "PUT" && number is 1 or 2 ? Passing(name) : Fault.None);
        await using S3ObjectStore store = await StoreAsync(proxy, Impatient(name));
        byte[] before = [1, 2, 3];
        await store.PutAsync(Key, before, cancellationToken: Cancellation);
        await store.PutAsync(Key, _content, PutCondition.IfUnchanged(before), Cancellation);
        Assert.Equal(_content, await store.GetAllAsync(Key, _content.Length, Cancellation));

        ObjectStoreException e = await FailsAsync(ObjectStoreError.Changed, () => store.PutAsync(Key, before, PutCondition.IfUnchanged(before), Cancellation));
        Assert.Contains(Key, e.Message, StringComparison.Ordinal);
        Assert.Equal(_content, await store.GetAllAsync(Key, _content.Length, Cancellation));
    }

    public static TheoryData<string> PassingReadFaults => new("503", "429", "reset before", "reset in answer", "cut answer", "cut at once", "stall");

    [Theory]
    [MemberData(nameof(PassingReadFaults))]
    public async Task A_get_gets_over_two_passing_failures(string name)
    {
        await using FaultProxy proxy = await ProxyAsync((method, number) => method == "GET" && number < 2 ? Passing(name) : Fault.None);
        await using S3ObjectStore store = await StoreAsync(proxy, Impatient(name));
        await store.PutAsync(Key, _content, cancellationToken: Cancellation);
        byte[] read = new byte[2_000_000];
        await store.GetExactlyAsync(Key, 777, read, Cancellation);
        Assert.True(_content.AsSpan(777, read.Length).SequenceEqual(read));
        Assert.Equal(3, proxy.Count("GET"));
    }

    [Theory]
    [InlineData("503")]
    [InlineData("reset before")]
    [InlineData("stall")]
    public async Task Head_list_and_delete_get_over_passing_failures(string name)
    {
        await using FaultProxy proxy = await ProxyAsync((method, number) => method is not "PUT" && number == 0 ? Passing(name) : Fault.None);
        await using S3ObjectStore store = await StoreAsync(proxy, Impatient(name));
        await store.PutAsync("a", _content, cancellationToken: Cancellation);
        await store.PutAsync("b", _content, cancellationToken: Cancellation);
        Assert.Equal(_content.Length, (await store.HeadAsync("a", Cancellation))!.Value.SizeBytes);
        Assert.Equal(2, await CountAsync(store));
        await store.DeleteAsync(["a", "b"], Cancellation);
        Assert.Equal(0, await CountAsync(store));
        await store.DeleteAsync("a", Cancellation);
        Assert.Equal((2, 3, 2), (proxy.Count("HEAD"), proxy.Count("GET"), proxy.Count("POST")));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1_499_999)]
    [InlineData(2_999_999)]
    public async Task A_byte_changed_on_its_way_is_refused_by_the_server(int at)
    {
        await using FaultProxy proxy = await ProxyAsync((method, _) => method == "PUT" ? Fault.FlipInRequest(at) : Fault.None);
        await using S3ObjectStore store = await StoreAsync(proxy);
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(async () => await store.PutAsync(Key, _content, cancellationToken: Cancellation));
        Assert.Contains("400", e.Message, StringComparison.Ordinal);
        Assert.Null(await store.HeadAsync(Key, Cancellation));
    }

    [Fact]
    public async Task A_byte_changed_once_is_sent_again()
    {
        await using FaultProxy proxy = await ProxyAsync((method, number) => method == "PUT" && number == 0 ? Fault.FlipInRequest(5) : Fault.None);
        await using S3ObjectStore store = await StoreAsync(proxy);
        await store.PutAsync(Key, _content, cancellationToken: Cancellation);
        Assert.Equal(2, proxy.Count("PUT"));
        Assert.Equal(_content, await store.GetAllAsync(Key, _content.Length, Cancellation));
    }

    [Fact]
    public async Task Attempts_end_and_their_number_is_told()
    {
        await using FaultProxy proxy = await ProxyAsync((_, _) => Fault.Answer(503, "SlowDown"));
        await using S3ObjectStore store = await StoreAsync(proxy);
        ObjectStoreException e = await FailsAsync(ObjectStoreError.Unavailable, () => store.PutAsync(Key, _content, cancellationToken: Cancellation));
        Assert.True(e.IsTransient);
        Assert.Equal($"{store.Name}: cannot store {Key}: 503 SlowDown: said by the proxy (4 attempts)", e.Message);
        Assert.Equal(4, proxy.Count("PUT"));
        await FailsAsync(ObjectStoreError.Unavailable, async () => await store.GetAsync(Key, 0, new byte[1], Cancellation));
        await FailsAsync(ObjectStoreError.Unavailable, async () => await store.HeadAsync(Key, Cancellation));
    }

    [Theory]
    [InlineData(403, "AccessDenied", ObjectStoreError.AccessDenied)]
    [InlineData(403, "QuotaExceeded", ObjectStoreError.OutOfSpace)]
    [InlineData(507, "XMinioStorageFull", ObjectStoreError.OutOfSpace)]
    [InlineData(404, "NoSuchBucket", ObjectStoreError.ContainerNotFound)]
    [InlineData(400, "EntityTooLarge", ObjectStoreError.Failed)]
    [InlineData(501, "NotImplemented", ObjectStoreError.Failed)]
    [InlineData(301, "PermanentRedirect", ObjectStoreError.Failed)]
    public async Task Refusals_are_told_at_once_with_the_servers_code(int status, string code, ObjectStoreError expected)
    {
        await using FaultProxy proxy = await ProxyAsync((_, _) => Fault.Answer(status, code));
        await using S3ObjectStore store = await StoreAsync(proxy, options => options with { CreateBucket = false });
        ObjectStoreException put = await FailsAsync(expected, () => store.PutAsync(Key, _content, cancellationToken: Cancellation));
        Assert.Contains($"{status} {code}", put.Message, StringComparison.Ordinal);
        Assert.Contains(Key, put.Message, StringComparison.Ordinal);
        await FailsAsync(expected, async () => await store.GetAsync(Key, 0, new byte[1], Cancellation));
        await FailsAsync(expected, async () => await CountAsync(store));
        await FailsAsync(expected, () => store.DeleteAsync(["a", "b"], Cancellation));
        Assert.Equal((1, 2, 1), (proxy.Count("PUT"), proxy.Count("GET"), proxy.Count("POST")));
    }

    /// <summary>A put takes longer than the patience lasts, and so does the wait for the only connection.</summary>
    [Fact]
    public async Task Slow_puts_that_wait_for_each_other_are_not_taken_for_stalled()
    {
        await using FaultProxy proxy = await ProxyAsync((method, _) => method == "PUT" ? Fault.Slow(2_000_000) : Fault.None);
        await using S3ObjectStore store = await StoreAsync(proxy, options => options with { StallTimeout = TimeSpan.FromSeconds(6), MaxConnections = 1, MaxAttempts = 1 });
        byte[] large = RandomBytes(16_000_000);
        await Task.WhenAll(store.PutAsync("a", large, cancellationToken: Cancellation).AsTask(), store.PutAsync("b", large, cancellationToken: Cancellation).AsTask());
        Assert.Equal(large, await store.GetAllAsync("b", large.Length, Cancellation));
    }

    [Fact]
    public async Task A_listing_that_breaks_off_is_not_taken_for_whole()
    {
        const string Page = "<?xml version=\"1.0\"?><ListBucketResult><Name>b</Name><IsTruncated>true</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>";
        await using FaultProxy proxy = await ProxyAsync((method, _) => method == "GET" ? Fault.Say(Page) : Fault.None);
        await using S3ObjectStore store = await StoreAsync(proxy);
        ObjectStoreException e = await FailsAsync(ObjectStoreError.Failed, async () => await CountAsync(store));
        Assert.Contains("breaks off", e.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_is_not_there_any_more_is_deleted_whatever_the_server_says()
    {
        const string Refused = "<?xml version=\"1.0\"?><DeleteResult><Error><Key>{0}</Key><Code>{1}</Code><Message>said by the proxy</Message></Error></DeleteResult>";
        string code = "NoSuchKey";
        await using FaultProxy proxy = await ProxyAsync((method, _) => method switch
        {
            "DELETE" => Fault.Answer(404, "NoSuchKey"),
            "POST" => Fault.Say(string.Format(System.Globalization.CultureInfo.InvariantCulture, Refused, Key, code)),
            _ => Fault.None,
        });
        await using S3ObjectStore store = await StoreAsync(proxy);
        await store.DeleteAsync(Key, Cancellation);
        await store.DeleteAsync([Key, "b"], Cancellation);
        code = "AccessDenied";
        await FailsAsync(ObjectStoreError.AccessDenied, () => store.DeleteAsync([Key, "b"], Cancellation));
    }

    [Fact]
    public async Task A_stalled_request_can_be_cancelled()
    {
        await using FaultProxy proxy = await ProxyAsync((_, _) => Fault.Stall);
        await using S3ObjectStore store = await StoreAsync(proxy, options => options with { StallTimeout = TimeSpan.FromMinutes(5) });
        using CancellationTokenSource stop = CancellationTokenSource.CreateLinkedTokenSource(Cancellation);
        Task[] calls =
        [
            store.PutAsync(Key, _content, cancellationToken: stop.Token).AsTask(),
            store.GetAsync(Key, 0, new byte[1], stop.Token).AsTask(),
            store.HeadAsync(Key, stop.Token).AsTask(),
            store.DeleteAsync(["a", "b"], stop.Token).AsTask(),
        ];
        stop.CancelAfter(TimeSpan.FromMilliseconds(50));
        foreach (Task call in calls)
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => call);
    }

    private static Fault Passing(string name) => name switch
    {
        "503" => Fault.Answer(503, "SlowDown"),
        "429" => Fault.Answer(429, "TooManyRequests"),
        "500" => Fault.Answer(500, "InternalError"),
        "bad digest" => Fault.Answer(400, "BadDigest"),
        "reset before" => Fault.ResetInRequest(0),
        "reset in request" => Fault.ResetInRequest(100_000),
        "lost answer" => Fault.LoseAnswer,
        "reset in answer" => Fault.CutAnswer(1_000_000, reset: true),
        "cut answer" => Fault.CutAnswer(1_999_999, reset: false),
        "cut at once" => Fault.CutAnswer(0, reset: false),
        "stall" => Fault.Stall,
        _ => throw new ArgumentOutOfRangeException(nameof(name), name, null),
    };

    // Only where a stall is the fault: elsewhere a busy machine must not look like one.
    private static Func<S3ObjectStoreOptions, S3ObjectStoreOptions> Impatient(string fault) =>
        options => fault == "stall" ? options with { StallTimeout = TimeSpan.FromSeconds(2) } : options;

    private static async ValueTask<FaultProxy> ProxyAsync(Func<string, int, Fault> choose) =>
        new((await TestKit.S3.S3Server.GetAsync()).Endpoint, choose);

    private static async ValueTask<S3ObjectStore> StoreAsync(FaultProxy proxy, Func<S3ObjectStoreOptions, S3ObjectStoreOptions>? change = null)
    {
        S3ObjectStoreOptions place = await S3TestBucket.NewPlaceAsync();

        // The bucket is there before the proxy counts.
        await using (S3ObjectStore direct = new(place))
            await direct.PutAsync("made", default, cancellationToken: Cancellation);
        await using (S3ObjectStore direct = new(place))
            await direct.DeleteAsync("made", Cancellation);
        S3ObjectStoreOptions options = place with { Endpoint = proxy.Address, MaxAttempts = 4 };
        return new S3ObjectStore(change is null ? options : change(options));
    }

    private static async Task<ObjectStoreException> FailsAsync(ObjectStoreError error, Func<ValueTask> call)
    {
        ObjectStoreException e = await Assert.ThrowsAsync<ObjectStoreException>(async () => await call());
        Assert.True(e.Error == error, $"{e.Error} instead of {error}: {e.Message}");
        Assert.DoesNotContain('\n', e.Message);
        return e;
    }

    private static async Task<int> CountAsync(S3ObjectStore store)
    {
        int count = 0;
        await foreach (ObjectInfo _ in store.ListAsync("", Cancellation))
            count++;
        return count;
    }

    private static byte[] RandomBytes(int length)
    {
        byte[] bytes = new byte[length];
        new Random(7).NextBytes(bytes);
        return bytes;
    }
}
