using System.Net;
using System.Net.Http.Headers;
using BackupEngine.ObjectStores;

namespace BackupEngine.S3;

/// <summary>Requests that carry the objects themselves, past the SDK; each is one attempt.</summary>
internal sealed class S3Transfer(S3Connection connection, S3Errors errors, TimeSpan stallTimeout)
{
    /// <summary>The metadata that names the put which stored an object.</summary>
    public const string PutIdHeader = "x-amz-meta-backup-engine-put";

    // Asking first costs a round trip, and saves sending a pack to a server that will refuse it.
    private const int ExpectContinueFromBytes = 1024 * 1024;
    private const int MaxErrorBodyBytes = 16 * 1024;

    /// <summary>A slice counts as moved when all of it is on its way, so one must not take a slow line as long as the patience lasts.</summary>
    private const int SliceBytes = 64 * 1024;

    /// <param name="put">The object.</param>
    /// <param name="replacedTag">What the server calls the one object that may be replaced; null for any.</param>
    /// <param name="cancellationToken">Gives up.</param>
    public async ValueTask PutAsync(S3Put put, string? replacedTag, CancellationToken cancellationToken)
    {
        using S3Slot slot = await connection.TakeSlotAsync(put.Content.Length, cancellationToken).ConfigureAwait(false);
        using StallWatch watch = new(stallTimeout, cancellationToken);
        using WatchedContent content = new(put.Content, watch);
        try
        {
            using HttpRequestMessage request = await connection.CreateRequestAsync(
                HttpMethod.Put, put.Key, put.ContentSha256, message => Prepare(message, put, replacedTag, content), watch.Token).ConfigureAwait(false);
            using HttpResponseMessage response = await connection.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, watch.Token).ConfigureAwait(false);
            if (!response.IsSuccessStatusCode)
            {
                ObjectStoreException refused = await RefusedAsync(response, put.Key, "store", watch).ConfigureAwait(false);
                throw replacedTag is not null && refused.Error is ObjectStoreError.AlreadyExists or ObjectStoreError.NotFound ? errors.Changed(put.Key, refused) : refused;
            }
        }
        catch (Exception e) when (S3Errors.Covers(e) && !cancellationToken.IsCancellationRequested)
        {
            throw errors.NoAnswer(put.Key, "store", e);
        }
        finally
        {
            await content.EndAsync().ConfigureAwait(false);
        }
    }

    public async ValueTask<int> GetAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken) =>
        (await GetTaggedAsync(key, offset, destination, cancellationToken).ConfigureAwait(false)).Count;

    /// <summary>The same, and what the server calls the object that it read from; null when it does not say.</summary>
    public async ValueTask<(int Count, string? Tag)> GetTaggedAsync(string key, long offset, Memory<byte> destination, CancellationToken cancellationToken)
    {
        using S3Slot slot = await connection.TakeSlotAsync(destination.Length, cancellationToken).ConfigureAwait(false);
        using StallWatch watch = new(stallTimeout, cancellationToken);
        try
        {
            long last = offset > long.MaxValue - destination.Length ? long.MaxValue : offset + destination.Length - 1;
            using HttpRequestMessage request = await connection.CreateRequestAsync(
                HttpMethod.Get, key, S3RequestSigner.EmptySha256, message => message.Headers.Range = new RangeHeaderValue(offset, last), watch.Token).ConfigureAwait(false);
            using HttpResponseMessage response = await connection.Http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, watch.Token).ConfigureAwait(false);
            if (response.StatusCode == HttpStatusCode.RequestedRangeNotSatisfiable)
                return default;
            if (!response.IsSuccessStatusCode)
                throw await RefusedAsync(response, key, "read", watch).ConfigureAwait(false);

            int promised = Promised(response, key, offset, destination.Length);
            await ReadAsync(response, destination[..promised], watch).ConfigureAwait(false);
            return (promised, response.Headers.NonValidated.TryGetValues("ETag", out HeaderStringValues tag) ? tag.ToString() : null);
        }
        catch (Exception e) when (S3Errors.Covers(e) && !cancellationToken.IsCancellationRequested)
        {
            throw errors.NoAnswer(key, "read", e);
        }
    }

    /// <summary>What the server calls the object of a key when it has exactly these bytes.</summary>
    /// <returns>Null when it has others, or there is none.</returns>
    public async ValueTask<string?> FindTagAsync(string key, ReadOnlyMemory<byte> content, CancellationToken cancellationToken)
    {
        // One byte more than wanted tells that the object does not end here.
        byte[] there = new byte[content.Length + 1];
        try
        {
            (int count, string? tag) = await GetTaggedAsync(key, 0, there, cancellationToken).ConfigureAwait(false);
            if (!there.AsSpan(0, count).SequenceEqual(content.Span))
                return null;
            return tag ?? throw new ObjectStoreException(ObjectStoreError.Failed, key, $"{errors.StoreName}: cannot replace {key}: the server does not tell its ETag");
        }
        catch (ObjectStoreException e) when (e.Error == ObjectStoreError.NotFound)
        {
            return null;
        }
    }

    public ObjectStoreException NotFound(string key) => errors.NotFound(key, "read");

    public ObjectStoreException Changed(string key) => errors.Changed(key, null);

    private static void Prepare(HttpRequestMessage message, S3Put put, string? replacedTag, WatchedContent content)
    {
        message.Content = content;
        message.Headers.ExpectContinue = put.Content.Length >= ExpectContinueFromBytes ? true : null;
        if (put.Id is null)
            return;
        message.Headers.TryAddWithoutValidation(PutIdHeader, put.Id);
        if (replacedTag is null)
            message.Headers.TryAddWithoutValidation("If-None-Match", "*");
        else
            message.Headers.TryAddWithoutValidation("If-Match", replacedTag);
    }

    /// <summary>How many bytes the answer must bring: all that was asked for, up to the object's end.</summary>
    private int Promised(HttpResponseMessage response, string key, long offset, int wanted)
    {
        ContentRangeHeaderValue? range = response.Content.Headers.ContentRange;
        long? length = response.Content.Headers.ContentLength;
        long promised = response.StatusCode switch
        {
            HttpStatusCode.PartialContent when range is { HasRange: true, HasLength: true } && range.From == offset => Math.Min(wanted, range.Length!.Value - offset),
            HttpStatusCode.OK when offset == 0 && length is not null => Math.Min(wanted, length.Value),
            _ => -1,
        };
        if (promised < 0 || (response.StatusCode == HttpStatusCode.PartialContent && length is not null && length != promised))
        {
            throw new ObjectStoreException(
                ObjectStoreError.Failed, key, $"{errors.StoreName}: cannot read {key}: the server answered with another range ({(int)response.StatusCode}, '{range}') than was asked for");
        }

        return (int)promised;
    }

    private static async ValueTask ReadAsync(HttpResponseMessage response, Memory<byte> destination, StallWatch watch)
    {
        Stream body = await response.Content.ReadAsStreamAsync(watch.Token).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            for (int total = 0; total < destination.Length;)
            {
                int count = await body.ReadAsync(destination[total..], watch.Token).ConfigureAwait(false);
                if (count == 0)
                    throw new EndOfStreamException($"the answer ended after {total} of {destination.Length} bytes");
                total += count;
                watch.Moved();
            }

            // The end has to be seen for the connection to be used again.
            if (response.StatusCode == HttpStatusCode.PartialContent)
                await body.ReadAsync(new byte[1], watch.Token).ConfigureAwait(false);
        }
    }

    private async ValueTask<ObjectStoreException> RefusedAsync(HttpResponseMessage response, string key, string action, StallWatch watch)
    {
        Stream body = await response.Content.ReadAsStreamAsync(watch.Token).ConfigureAwait(false);
        await using (body.ConfigureAwait(false))
        {
            byte[] buffer = new byte[MaxErrorBodyBytes];
            int count = await body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, watch.Token).ConfigureAwait(false);
            (string? code, string? words) = S3Errors.Parse(System.Text.Encoding.UTF8.GetString(buffer, 0, count));
            return errors.Answer(key, action, response.StatusCode, code, words);
        }
    }

    /// <summary>The caller's memory as a body, without a copy; each slice sent shows that bytes still move.</summary>
    private sealed class WatchedContent(ReadOnlyMemory<byte> content, StallWatch watch) : HttpContent
    {
        private Task _sending = Task.CompletedTask;

        /// <summary>
        /// The answer may come, or the connection break, while the body is still being sent beside; the client does not always wait for that, and the memory is the
        /// caller's again when the put ends.
        /// </summary>
        public async Task EndAsync()
        {
            if (_sending.IsCompleted)
                return;
            await watch.CancelAsync().ConfigureAwait(false);
            await _sending.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, watch.Token);

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken) =>
            _sending = SendAsync(stream, cancellationToken);

        private async Task SendAsync(Stream stream, CancellationToken cancellationToken)
        {
            for (int sent = 0; sent < content.Length; sent += SliceBytes)
            {
                await stream.WriteAsync(content.Slice(sent, Math.Min(SliceBytes, content.Length - sent)), cancellationToken).ConfigureAwait(false);
                watch.Moved();
            }
        }

        protected override bool TryComputeLength(out long length)
        {
            length = content.Length;
            return true;
        }
    }
}
