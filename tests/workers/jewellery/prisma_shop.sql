-- A shop as Prisma makes it: camelCase, instants without a zone, enums of its own, cascades.
CREATE SCHEMA shop;
CREATE TYPE shop."OrderStatus" AS ENUM (
    'PENDING', 'CONFIRMED', 'PROCESSING', 'SHIPPED', 'DELIVERED', 'CANCELLED', 'RETURNED');
CREATE TYPE shop."PaymentStatus" AS ENUM (
    'PENDING', 'AUTHORIZED', 'SUCCESS', 'FAILED', 'REFUNDED', 'REVIEW', 'EXPIRED');

CREATE TABLE shop."User" (
    "id" text PRIMARY KEY, "email" text NOT NULL UNIQUE, "passwordHash" text NOT NULL DEFAULT 'x', "name" text,
    "phone" text, "isVerified" boolean NOT NULL DEFAULT false,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE shop."Product" (
    "id" text PRIMARY KEY, "sku" text NOT NULL UNIQUE, "name" text NOT NULL, "stockQuantity" integer NOT NULL DEFAULT 0,
    "price" decimal(10,2) NOT NULL DEFAULT 0);
CREATE TABLE shop."Order" (
    "id" text PRIMARY KEY, "orderNumber" text NOT NULL UNIQUE, "userId" text NOT NULL REFERENCES shop."User",
    "status" shop."OrderStatus" NOT NULL DEFAULT 'PENDING', "totalAmount" decimal(10,2) NOT NULL, "trackingNumber" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE shop."OrderItem" (
    "id" text PRIMARY KEY, "orderId" text NOT NULL REFERENCES shop."Order" ON DELETE CASCADE,
    "productId" text REFERENCES shop."Product" ON DELETE SET NULL, "productName" text NOT NULL,
    "quantity" integer NOT NULL, "price" decimal(10,2) NOT NULL);
CREATE TABLE shop."inventoryLock" (
    "id" text PRIMARY KEY, "productId" text NOT NULL REFERENCES shop."Product" ON DELETE CASCADE,
    "orderId" text REFERENCES shop."Order" ON DELETE CASCADE, "quantity" integer NOT NULL,
    "expiresAt" timestamp(3) NOT NULL);
CREATE TABLE shop."Payment" (
    "id" text PRIMARY KEY, "orderId" text NOT NULL REFERENCES shop."Order", "razorpayOrderId" text,
    "transactionId" text UNIQUE, "amount" decimal(10,2) NOT NULL,
    "status" shop."PaymentStatus" NOT NULL DEFAULT 'PENDING', "failureReason" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE shop."Notification" (
    "id" text PRIMARY KEY, "userId" text NOT NULL REFERENCES shop."User" ON DELETE CASCADE, "type" text NOT NULL,
    "title" text NOT NULL, "message" text NOT NULL, "metadata" jsonb, "isRead" boolean NOT NULL DEFAULT false,
    "createdAt" timestamp(3) NOT NULL DEFAULT CURRENT_TIMESTAMP);
CREATE TABLE shop."PasswordReset" (
    "id" text PRIMARY KEY DEFAULT gen_random_uuid()::text, "token" text NOT NULL UNIQUE,
    "userId" text NOT NULL REFERENCES shop."User" ON DELETE CASCADE, "expiresAt" timestamp(3) NOT NULL);
CREATE TABLE shop."Review" (
    "id" text PRIMARY KEY, "userId" text NOT NULL REFERENCES shop."User", "text" text NOT NULL);
