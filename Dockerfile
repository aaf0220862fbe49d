# One image for every role; what it does is told by environment variables (docs/configuration.md).
FROM eclipse-temurin:25-jdk AS build
RUN apt-get update && apt-get install -y --no-install-recommends maven && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY .mvn .mvn
COPY pom.xml .
COPY src/main src/main
RUN mvn -B -ntp -Dquick package

FROM eclipse-temurin:25-jre
RUN useradd --system --create-home --uid 10001 tenantry && install -d -o tenantry -g tenantry /data
COPY --from=build /build/target/quarkus-app /app
USER tenantry
VOLUME /data
# Inside a container others must reach it; publish the ports to where you want them.
ENV TENANTRY_HOST=0.0.0.0 \
    TENANTRY_PORT=6432 \
    TENANTRY_EMBEDDED_DATA=/data \
    QUARKUS_HTTP_HOST=0.0.0.0 \
    QUARKUS_HTTP_PORT=8080 \
    JAVA_OPTS=""
EXPOSE 6432 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD bash -c 'exec 3<>/dev/tcp/127.0.0.1/$QUARKUS_HTTP_PORT && printf "GET /q/health/ready HTTP/1.0\r\n\r\n" >&3 && grep -q "200 OK" <&3'
ENTRYPOINT ["bash", "-c", "exec java -XX:+UseSerialGC -XX:MaxRAMPercentage=60 --enable-native-access=ALL-UNNAMED --sun-misc-unsafe-memory-access=allow --add-opens=java.base/java.lang=ALL-UNNAMED $JAVA_OPTS -jar /app/quarkus-run.jar \"$@\"", "tenantry"]
CMD ["up"]
